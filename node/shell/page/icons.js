// Signs beside words, and a face for each person: nothing is fetched for either.
const SHAPES = {
  home: "M4 11 12 4l8 7v9h-5v-6H9v6H4z",
  notices: "M6 17v-6a6 6 0 0 1 12 0v6l1.5 2h-15zM10 21.5h4",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14a6.5 6.5 0 0 1 3.5 6",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5a7.5 7.5 0 0 1 15 0",
  node: "M4 5h16v6H4zM4 13h16v6H4zM7.5 8h.1M7.5 16h.1",
  write: "M4 20l1-4L16 5l3 3L8 19z",
  reply: "M10 8V4l-7 7 7 7v-4c5 0 8 1.5 11 5-1-6-4-11-11-11z",
  echo: "M6 16V8a2 2 0 0 1 2-2h9M14 3l3 3-3 3M18 8v8a2 2 0 0 1-2 2H7M10 21l-3-3 3-3",
  quote: "M5 17c2-1 3-3 3-5H5V7h5v5c0 3-2 5-4 6zM14 17c2-1 3-3 3-5h-3V7h5v5c0 3-2 5-4 6z",
};
export const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg"), path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

// A colour that is the key's, so that two of one name are not taken for one, and the first letter of
// the name.
export function face(author, name) {
  const element = document.createElement("span");
  let hue = 0;
  for (const letter of author.slice(7, 27)) hue = (hue * 31 + letter.charCodeAt(0)) % 360;
  element.className = "face";
  element.setAttribute("aria-hidden", "true");
  element.style.setProperty("--hue", hue);
  element.textContent = /[\p{L}\p{N}]/u.exec(name || "")?.[0].toLocaleUpperCase() || "·";
  return element;
}
