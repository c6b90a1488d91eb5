// Parses LogQL with the grammar of Grafana's own editor.
//
//   node logql.mjs FOLDER < queries.json > results.json
//
// FOLDER has node_modules with @grafana/lezer-logql. The input is an array of texts; the output has, for each, the pieces
// the grammar does not know (`errors`) and the matchers of every stream selector.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2], "index.js"));
const { parser } = require("@grafana/lezer-logql");

function read(text) {
  const result = { errors: [], selectors: [] };
  let inSelector = false; // filters after `|` have matchers too
  parser.parse(text).iterate({
    enter(node) {
      if (node.type.isError) {
        result.errors.push(`at ${node.from}: ${JSON.stringify(text.slice(Math.max(0, node.from - 15), node.to + 15))}`);
      } else if (node.name === "Selector") {
        result.selectors.push([]);
        inSelector = true;
      } else if (node.name === "Matcher" && inSelector) {
        const parts = /^\s*(\w+)\s*(=~|!~|!=|=)\s*([^]*?)\s*$/.exec(text.slice(node.from, node.to));
        if (parts) result.selectors[result.selectors.length - 1].push({ label: parts[1], operator: parts[2], value: parts[3].slice(1, -1) });
      }
    },
    leave(node) {
      if (node.name === "Selector") inSelector = false;
    },
  });
  return result;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(read)));
