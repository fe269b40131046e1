import type { Schema } from "./schema.ts";

const text: Schema = { type: "string" };
const texts: Schema = { type: "list", of: text, many: "strings" };
const textMap: Schema = { type: "map", of: text, many: "strings" };

const split: Schema = {
  type: "object",
  fields: {
    serviceNamespace: text,
    serviceName: text,
    servicePort: { type: "integer-or-string" },
    percent: { type: "integer" },
    appendHeaders: textMap,
  },
};
const path: Schema = {
  type: "object",
  fields: {
    path: text,
    rewriteHost: text,
    headers: { type: "map", of: { type: "object", fields: { exact: text } }, many: "header matches" },
    splits: { type: "list", of: split, many: "splits" },
    appendHeaders: textMap,
  },
};
const rule: Schema = {
  type: "object",
  fields: {
    hosts: texts,
    visibility: { type: "string", oneOf: ["", "ExternalIP", "ClusterLocal"] },
    http: { type: "object", fields: { paths: { type: "list", of: path, many: "paths" } } },
  },
};

/** The spec of a KIngress. C-101 */
export const ingressSpec: Schema = {
  type: "object",
  fields: {
    rules: { type: "list", of: rule, many: "rules" },
    tls: {
      type: "list",
      of: { type: "object", fields: { hosts: texts, secretName: text, secretNamespace: text } },
      many: "tls entries",
    },
    httpOption: text,
  },
};
