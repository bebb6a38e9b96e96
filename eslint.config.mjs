// Rules for the scripts that browsers load as they are, and for the tools and tests around them.
import js from "@eslint/js";
import globals from "globals";

const ours = { // what a classic script leaves to those that the page loads after it
  Address: "writable", Area: "writable", BaseMap: "writable", Filter: "writable", Here: "writable", Labels: "writable", Nearby: "writable", Picture: "writable",
  SaferGround: "writable", Search: "writable", StaffMap: "writable", Symbols: "writable", VisitQueue: "writable", Words: "writable",
};

export default [
  { ignores: ["app/static/vendor/", "node_modules/", ".venv/", "build/", "dist/", "instance/"] },
  js.configs.recommended,
  {
    rules: {
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-implicit-coercion": "error",
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "no-shadow-restricted-names": "error",
      "no-unused-vars": ["error", { caughtErrors: "none" }],
    },
  },
  {
    files: ["app/static/*.js"],
    languageOptions: { sourceType: "script", globals: { ...globals.browser, ...ours, L: "readonly", protomapsL: "readonly" } },
    rules: {
      strict: ["error", "global"],
      "no-restricted-properties": ["error", // text is set as text
        { property: "outerHTML" }, { property: "insertAdjacentHTML" }, { object: "document", property: "write" },
      ],
      "no-restricted-syntax": ["error", { selector: "AssignmentExpression > MemberExpression.left[property.name='innerHTML']", message: "set textContent, or import nodes" }],
      "no-redeclare": ["error", { builtinGlobals: false }],
      "no-unused-vars": ["error", { caughtErrors: "none", varsIgnorePattern: `^(${Object.keys(ours).join("|")})$` }],
    },
  },
  { files: ["app/static/log-worker.js"], languageOptions: { globals: globals.serviceworker } },
  { files: ["scripts/*.mjs", "tests/js/*.mjs", "*.mjs"], languageOptions: { globals: globals.node } },
];
