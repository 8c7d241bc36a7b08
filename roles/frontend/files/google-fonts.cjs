// Copyright: OpenClaw Mission Control collection contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
//
// usage: node google-fonts.cjs PROJECT OUTPUT
//
// `next build` downloads the style sheet of every family that the sources take from next/font/google.
// NEXT_FONT_GOOGLE_MOCKED_RESPONSES names a module that answers instead: URL -> style sheet. This program
// writes such a module for the calls it finds in PROJECT. Next itself says what the URLs are, so that they
// fit the installed version. Each family then stands for the font of that name on the reader's computer,
// or for the fallback that the product names.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const SOURCE = /\.(?:[cm]?[jt]sx?)$/;
const LEFT_OUT = new Set(["node_modules", ".next", ".git", "out", "dist", "coverage"]);
const IMPORT = /import\s*\{([^}]*)\}\s*from\s*["']next\/font\/google["']/g;

function* sources(directory) {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
    const full = path.join(directory, entry.name);
    if (entry.isDirectory() && !LEFT_OUT.has(entry.name)) yield* sources(full);
    else if (entry.isFile() && SOURCE.test(entry.name)) yield full;
  }
}

// The text between the parenthesis at `start` and the one that closes it; strings and comments do not count.
function argumentText(text, start) {
  let depth = 0;
  for (let i = start; i < text.length; i += 1) {
    const character = text[i];
    if (character === '"' || character === "'" || character === "`") {
      for (i += 1; i < text.length && text[i] !== character; i += 1) if (text[i] === "\\") i += 1;
    } else if (text.startsWith("//", i)) {
      while (i < text.length && text[i] !== "\n") i += 1;
    } else if (text.startsWith("/*", i)) {
      i = text.indexOf("*/", i) + 1;
      if (i === 0) return null;
    } else if (character === "(") depth += 1;
    else if (character === ")" && (depth -= 1) === 0) return text.slice(start + 1, i);
  }
  return null;
}

// Next demands literals in these calls, so that they can be evaluated by themselves. What cannot is no such call, but
// text in a comment, say.
function evaluate(literal) {
  try {
    return { value: vm.runInNewContext(`(${literal.trim() || "undefined"}\n)`, Object.create(null), { timeout: 1000 }) };
  } catch {
    return null;
  }
}

function calls(text) {
  const found = [];
  for (const [, names] of text.matchAll(IMPORT)) {
    for (const name of names.split(",")) {
      const [imported, local = imported] = name.trim().replace(/^type\s+/, "").split(/\s+as\s+/);
      if (!imported) continue;
      const call = new RegExp(`(?<![\\w$.])${local.replace(/\$/g, "\\$")}\\s*\\(`, "g");
      for (const match of text.matchAll(call)) {
        const literal = argumentText(text, match.index + match[0].length - 1);
        if (literal === null) continue;
        const evaluated = evaluate(literal);
        if (evaluated) found.push({ function: imported, argument: evaluated.value });
      }
    }
  }
  return found;
}

function styleSheet(family, axes, display) {
  const faces = [];
  for (const italic of axes.ital ?? ["0"]) {
    for (const weight of axes.wght ?? ["400"]) {
      faces.push(
        `@font-face {\n  font-family: '${family}';\n  font-style: ${italic === "1" ? "italic" : "normal"};\n` +
          `  font-weight: ${weight.replace("..", " ")};\n  font-display: ${display};\n  src: local('${family}');\n}\n`,
      );
    }
  }
  return faces.join("");
}

function main([project, output]) {
  const google = path.join(project, "node_modules/next/dist/compiled/@next/font/dist/google");
  const { validateGoogleFontFunctionCall } = require(path.join(google, "validate-google-font-function-call.js"));
  const { getFontAxes } = require(path.join(google, "get-font-axes.js"));
  const { getGoogleFontsUrl } = require(path.join(google, "get-google-fonts-url.js"));
  const responses = {};
  for (const file of sources(project)) {
    const text = fs.readFileSync(file, "utf8");
    if (!text.includes("next/font/google")) continue;
    for (const call of calls(text)) {
      const font = validateGoogleFontFunctionCall(call.function, call.argument);
      const axes = getFontAxes(font.fontFamily, font.weights, font.styles, font.selectedVariableAxes);
      const url = getGoogleFontsUrl(font.fontFamily, axes, font.display);
      responses[url] = styleSheet(font.fontFamily, axes, font.display);
      console.log(`${path.relative(project, file)}: ${font.fontFamily} is taken from the reader's computer`);
    }
  }
  fs.writeFileSync(output, `module.exports = ${JSON.stringify(responses, null, 2)};\n`);
}

if (require.main === module) main(process.argv.slice(2));
module.exports = { argumentText, calls, styleSheet };
