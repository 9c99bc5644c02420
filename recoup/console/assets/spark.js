// A small picture of the last five minutes.
const WIDTH = 120;
const HEIGHT = 28;
const NAMESPACE = "http://www.w3.org/2000/svg";

export function makeSpark() {
  const svg = document.createElementNS(NAMESPACE, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["area", "line"]) {
    const path = document.createElementNS(NAMESPACE, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

// `points`: oldest first, null where nothing was known. The floor is 0, so that heights can be compared.
export function drawSpark(svg, points) {
  const top = Math.max(...points.filter((point) => point !== null), 0) || 1;
  const step = WIDTH / (points.length - 1);
  let line = "";
  let area = "";
  let start = null;
  points.forEach((point, place) => {
    const x = (place * step).toFixed(1);
    if (point === null) {
      if (start !== null) area += `L${((place - 1) * step).toFixed(1)} ${HEIGHT}Z`;
      start = null;
      return;
    }
    const y = (HEIGHT - 1.5 - (point / top) * (HEIGHT - 4)).toFixed(1);
    line += `${start === null ? "M" : "L"}${x} ${y}`;
    area += start === null ? `M${x} ${HEIGHT}L${x} ${y}` : `L${x} ${y}`;
    if (start === null) start = place;
  });
  if (start !== null) area += `L${WIDTH} ${HEIGHT}Z`;
  svg.children[0].setAttribute("d", area);
  svg.children[1].setAttribute("d", line);
}
