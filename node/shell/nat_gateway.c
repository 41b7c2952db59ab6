#include "nat_gateway.h"
#include "interfaces.h"
#include <arpa/inet.h>
#include <errno.h>
#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <natpmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A router at home answers within milliseconds; RFC 6886 would have us wait for two minutes. */
#define PMP_TRIES 3u /* 250, 500 and 1,000 ms */
#define SSDP_MS   1500
/* So many of those that say they are one are looked at. */
#define ROUTERS_MAX 8u
/* Another machine may have the port: so many others are tried. */
#define PORT_TRIES 4u
#define PORT_LOW   20000u
#define PORT_SPAN  40000u

#define UPNP_E_CONFLICT 718 /* ConflictInMappingEntry */

/* --- NAT-PMP ---------------------------------------------------------------------------------- */

/* What was asked is under way; false when nobody answers, or with a refusal. */
static bool pmp_answer(natpmp_t *pmp, natpmpresp_t *answer, int type) {
    for (unsigned tries = 0; tries < PMP_TRIES;) {
        struct timeval timeout;
        struct pollfd wait = {.fd = pmp->s, .events = POLLIN};
        if (getnatpmprequesttimeout(pmp, &timeout) != 0)
            return false;
        int ms = (int)(timeout.tv_sec * 1000 + timeout.tv_usec / 1000) + 1;
        int ready = poll(&wait, 1, ms > 0 ? ms : 1);
        if (ready < 0 && errno != EINTR)
            return false;
        tries += ready == 0;
        int status = readnatpmpresponseorretry(pmp, answer);
        if (status == 0 && answer->type != type) {
            pmp->has_pending_request =
                1; /* a slow router's second answer to what was asked before */
            continue;
        }
        if (status != NATPMP_TRYAGAIN)
            return status == 0;
    }
    return false;
}

static bool pmp_map(natpmp_t *pmp, struct nat_mapping *mapping, unsigned lease_s) {
    natpmpresp_t answer;
    static const uint8_t v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (sendpublicaddressrequest(pmp) < 0 ||
        !pmp_answer(pmp, &answer, NATPMP_RESPTYPE_PUBLICADDRESS))
        return false;
    memcpy(mapping->ip.bytes, v4_prefix, sizeof v4_prefix);
    memcpy(mapping->ip.bytes + 12, &answer.pnu.publicaddress.addr, 4);
    if (sendnewportmappingrequest(pmp, NATPMP_PROTOCOL_TCP, mapping->port_inside,
                                  mapping->port_outside, lease_s) < 0 ||
        !pmp_answer(pmp, &answer, NATPMP_RESPTYPE_TCPPORTMAPPING) ||
        answer.pnu.newportmapping.mappedpublicport == 0)
        return false;
    mapping->port_outside = answer.pnu.newportmapping.mappedpublicport;
    return true;
}

static bool pmp_open(natpmp_t *pmp) {
    return initnatpmp(pmp, 0, 0) == 0;
}

/* --- UPnP ------------------------------------------------------------------------------------- */

struct upnp {
    struct UPNPUrls urls;
    struct IGDdatas data;
    char own[64]; /* our address, as the router is to see it */
};

/* Anybody on the link may answer, and would have us ask a service of this machine, or of a machine
 * far away, in our name: an address of IPv4 that is a neighbour's and not ours. */
static bool is_neighbours(const char *url) {
    static const char scheme[] = "http://";
    struct parley_interface interfaces[PARLEY_INTERFACES_MAX];
    size_t count = parley_interfaces_find(interfaces);
    struct parley_ip ip;
    char host[16];
    if (url == NULL || strncmp(url, scheme, sizeof scheme - 1) != 0)
        return false;
    url += sizeof scheme - 1;
    size_t size = strcspn(url, ":/");
    if (size >= sizeof host)
        return false;
    memcpy(host, url, size);
    host[size] = '\0';
    if (!parley_ip_decode(&ip, host) || parley_network_of_ip(&ip) == PARLEY_NETWORK_NONE)
        return false;
    for (size_t i = 0; i < count; i++)
        if (memcmp(&ip, &interfaces[i].ip, sizeof ip) == 0)
            return false;
    return parley_ip_is_near(&ip, interfaces, count);
}

/* What describes itself there, if it is a router and is asked where it stands. */
static bool upnp_read(struct upnp *upnp, const char *url) {
    static const char router[] = "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:";
    memset(upnp, 0, sizeof *upnp);
    if (!is_neighbours(url) ||
        UPNP_GetIGDFromUrl(url, &upnp->urls, &upnp->data, upnp->own, (int)sizeof upnp->own) != 1)
        return false;
    if (strncmp(upnp->data.CIF.servicetype, router, sizeof router - 1) == 0 &&
        is_neighbours(upnp->urls.controlURL))
        return true;
    FreeUPNPUrls(&upnp->urls);
    return false;
}

static bool upnp_find(struct upnp *upnp) {
    int error = 0;
    unsigned tries = 0;
    bool is_found = false;
    struct UPNPDev *devices = upnpDiscover(SSDP_MS, NULL, NULL, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
    for (const struct UPNPDev *device = devices; device != NULL && !is_found && tries < ROUTERS_MAX;
         device = device->pNext, tries++) {
        if (!upnp_read(upnp, device->descURL))
            continue;
        is_found = UPNPIGD_IsConnected(&upnp->urls, &upnp->data) != 0;
        if (!is_found)
            FreeUPNPUrls(&upnp->urls);
    }
    freeUPNPDevlist(devices);
    return is_found;
}

/* Where it was the last time, or wherever it is. */
static bool upnp_open(struct upnp *upnp, const char *url) {
    return (url[0] != '\0' && upnp_read(upnp, url)) || upnp_find(upnp);
}

static bool upnp_ip(struct upnp *upnp, struct parley_ip *ip) {
    char text[64] = "";
    return UPNP_GetExternalIPAddress(upnp->urls.controlURL, upnp->data.first.servicetype, text) ==
               UPNPCOMMAND_SUCCESS &&
           parley_ip_decode(ip, text);
}

static bool upnp_map(struct upnp *upnp, struct nat_mapping *mapping, unsigned lease_s) {
    char inside[8], outside[8], lease[16];
    if (!upnp_ip(upnp, &mapping->ip))
        return false;
    (void)snprintf(inside, sizeof inside, "%u", mapping->port_inside);
    (void)snprintf(lease, sizeof lease, "%u", lease_s);
    for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
        (void)snprintf(outside, sizeof outside, "%u", mapping->port_outside);
        int status = UPNP_AddPortMapping(upnp->urls.controlURL, upnp->data.first.servicetype,
                                         outside, inside, upnp->own, "parley", "TCP", NULL, lease);
        if (status == UPNPCOMMAND_SUCCESS)
            return true;
        if (status != UPNP_E_CONFLICT)
            return false;
        mapping->port_outside =
            (uint16_t)(PORT_LOW + (mapping->port_inside * 7919u + tries * 104729u) % PORT_SPAN);
    }
    return false;
}

static void upnp_unmap(struct upnp *upnp, const struct nat_mapping *mapping) {
    char outside[8];
    (void)snprintf(outside, sizeof outside, "%u", mapping->port_outside);
    (void)UPNP_DeletePortMapping(upnp->urls.controlURL, upnp->data.first.servicetype, outside,
                                 "TCP", NULL);
}

/* --- either ----------------------------------------------------------------------------------- */

static bool map_by_pmp(struct nat_mapping *mapping, unsigned lease_s) {
    natpmp_t pmp;
    if (!pmp_open(&pmp))
        return false;
    bool is_mapped = pmp_map(&pmp, mapping, lease_s);
    (void)closenatpmp(&pmp);
    return is_mapped;
}

static bool map_by_upnp(struct nat_mapping *mapping, unsigned lease_s) {
    struct upnp upnp;
    if (!upnp_open(&upnp, mapping->url))
        return false;
    bool is_mapped = upnp_map(&upnp, mapping, lease_s);
    int size = snprintf(mapping->url, sizeof mapping->url, "%s",
                        upnp.urls.rootdescURL != NULL ? upnp.urls.rootdescURL : "");
    if (size < 0 || (size_t)size >= sizeof mapping->url)
        mapping->url[0] = '\0';
    FreeUPNPUrls(&upnp.urls);
    return is_mapped;
}

/* The quick one first, but for a router that is known to speak the other. */
bool nat_gateway_map(struct nat_mapping *mapping, unsigned lease_s) {
    bool is_upnp = mapping->protocol == NAT_UPNP;
    if (mapping->port_outside == 0)
        mapping->port_outside = mapping->port_inside;
    if (is_upnp && map_by_upnp(mapping, lease_s))
        return true;
    mapping->protocol = NAT_PMP;
    if (map_by_pmp(mapping, lease_s))
        return true;
    mapping->protocol = NAT_UPNP;
    if (map_by_upnp(mapping, lease_s))
        return true;
    mapping->protocol = NAT_NOBODY;
    return false;
}

void nat_gateway_unmap(const struct nat_mapping *mapping) {
    natpmp_t pmp;
    natpmpresp_t answer;
    struct upnp upnp;
    if (mapping->protocol == NAT_PMP && pmp_open(&pmp)) {
        if (sendnewportmappingrequest(&pmp, NATPMP_PROTOCOL_TCP, mapping->port_inside, 0, 0) >= 0)
            (void)pmp_answer(&pmp, &answer, NATPMP_RESPTYPE_TCPPORTMAPPING);
        (void)closenatpmp(&pmp);
    }
    if (mapping->protocol == NAT_UPNP && upnp_open(&upnp, mapping->url)) {
        upnp_unmap(&upnp, mapping);
        FreeUPNPUrls(&upnp.urls);
    }
}
