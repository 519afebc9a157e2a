// The page of `consult serve`: tells the terminal of textual-serve where it is. Everything is asked of the folder of the page.
"use strict";

const folder = new URL(".", location.href).href;
const open = window.open.bind(window);

// textual-serve asks for downloads at the root, where there is nothing
window.open = (address, ...rest) => open(String(address).replace(`${location.origin}/download/`, `${folder}download/`), ...rest);

const over = document.getElementById("over");
over.querySelector("button").addEventListener("click", () => location.reload());

addEventListener("load", async () => {
  // the terminal measures a letter once: when the font is there
  await document.fonts.load('16px "Roboto Mono"').catch(() => {});
  document.getElementById("terminal").dataset.sessionWebsocketUrl = `${folder}ws`.replace(/^http/, "ws");
  const script = document.createElement("script");
  script.src = "textual.js";
  script.onload = () => {
    try {
      window.onload();
    } catch (problem) {
      over.querySelector("p").textContent = `This browser cannot draw the terminal (${problem.message}). Try another one.`;
      document.body.classList.add("-closed");
    }
  };
  document.body.append(script);
});

// what has the keys: the terminal once it is drawn (sooner, the application would not notice), the button at the end
let drawn = false;
new MutationObserver(() => {
  const state = document.body.classList;
  if (state.contains("-closed")) {
    over.querySelector("button").focus();
  } else if (state.contains("-first-byte") && !drawn) {
    drawn = true;
    document.querySelector(".xterm-helper-textarea").focus();
  }
}).observe(document.body, { attributes: true, attributeFilter: ["class"] });
