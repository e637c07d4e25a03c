// `make lint-scripts`: the scripts of pages. They are classic scripts that share one scope, in the order of a page.
import { readFileSync, readdirSync } from "node:fs";

const FOLDER = "src/markov_cli/render/html";
const BROWSER = [
  "Blob", "DecompressionStream", "Event", "Node", "Response", "TextDecoder", "TextEncoder", "addEventListener", "atob",
  "crypto", "document", "getComputedStyle", "getSelection", "location", "navigator", "setTimeout", "window",
];
const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "srcdoc", "createContextualFragment"];

const scripts = readdirSync(`${FOLDER}/script`).filter((name) => name.endsWith(".js"));
const own = scripts.flatMap((name) =>
  [...readFileSync(`${FOLDER}/script/${name}`, "utf8").matchAll(/^(?:async )?(?:function|class|const) (\w+)/gm)].map((found) => found[1]));

export default [
  {
    files: [`${FOLDER}/**/*.js`],
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "script",
      globals: Object.fromEntries([...BROWSER, ...own].map((name) => [name, "readonly"])),
    },
    rules: {
      "array-callback-return": "error",
      "consistent-return": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-implicit-globals": "off",
      "no-new-func": "error",
      "no-restricted-properties": ["error", ...MARKUP.map((property) => ({ property, message: "text must stay text" }))],
      "no-undef": "error",
      "no-unused-vars": ["error", { vars: "local" }],
      "no-use-before-define": ["error", { functions: false, classes: false, variables: false }],
      "no-var": "error",
      "prefer-const": "error",
      strict: ["error", "global"],
    },
  },
];
