import { createHash } from "node:crypto";
import { apiVersion } from "@rouse/shared";
import type { Schema } from "../../admission/schema.ts";
import { type MessageType, messageType, type ValueType } from "../built-in/message-types.ts";
import { type ApiResource, apiResources, groupVersions } from "./api-resource.ts";
import { customSchema } from "./internal-schemas.ts";

type Json = Readonly<Record<string, unknown>>;

const TITLE = { title: "Rouse", version: "v1" };

/** The OpenAPI documents, each made when it is first asked for: they do not change while the program runs. */
export class OpenApi {
  readonly #documents = new Map<string, Json>();
  #index: { readonly body: Json; readonly tag: string } | undefined;

  /**
   * `/openapi/v3`: where the document of each group-version is, and a tag for the whole. Clients keep for ever what has
   * a hash in its address. P-15
   */
  index(): { readonly body: Json; readonly tag: string } {
    if (this.#index !== undefined) return this.#index;
    const paths = Object.fromEntries(
      groupVersions().map((version) => {
        const path = version.includes("/") ? `apis/${version}` : `api/${version}`;
        return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${hashOf(this.document(version))}` }];
      }),
    );
    this.#index = { body: { paths }, tag: `"${hashOf(paths)}"` };
    return this.#index;
  }

  document(version: string): Json | undefined {
    const known = this.#documents.get(version);
    if (known !== undefined) return known;
    const made = openApiDocument(version);
    if (made !== undefined) this.#documents.set(version, made);
    return made;
  }
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").toUpperCase();
}

/**
 * What kubectl reads of a group-version: that it may hand validation to the server, and the members of objects for
 * `kubectl explain`. P-16, P-17
 */
function openApiDocument(version: string): Json | undefined {
  if (!groupVersions().includes(version)) return undefined;
  const resources = apiResources.filter(({ kind }) => apiVersion(kind) === version);
  const schemas: Record<string, Json> = {};
  for (const resource of resources) addSchema(schemas, resource);
  const paths = Object.fromEntries(
    resources.map((resource) => [pathOf(resource), { patch: patchOf(resource) }]),
  );
  return { openapi: "3.0.0", info: TITLE, paths, components: { schemas } };
}

function pathOf({ kind }: ApiResource): string {
  const root = kind.group === "" ? "/api" : "/apis";
  const namespace = kind.isNamespaced ? "/namespaces/{namespace}" : "";
  return `${root}/${apiVersion(kind)}${namespace}/${kind.plural}/{name}`;
}

function patchOf({ kind: { group, version, kind } }: ApiResource): Json {
  const parameter = (name: string): Json => ({
    name,
    in: "query",
    schema: { type: "string", uniqueItems: true },
  });
  return {
    "x-kubernetes-action": "patch",
    "x-kubernetes-group-version-kind": { group, version, kind },
    parameters: [parameter("dryRun"), parameter("fieldValidation")],
  };
}

function addSchema(schemas: Record<string, Json>, { kind, message }: ApiResource): void {
  const { group, version, kind: name } = kind;
  const identity = {
    "x-kubernetes-group-version-kind": [{ group, version, kind: name }],
    description: `${name} (${apiVersion(kind)})`,
  };
  const head = { apiVersion: { type: "string" }, kind: { type: "string" } };
  const key = `${group === "" ? "core" : group}.${version}.${name}`;
  if (message === undefined) {
    const { properties, ...rest } = ofSchema(customSchema(kind));
    schemas[key] = { ...rest, ...identity, properties: { ...head, ...objectOf(properties) } };
    return;
  }
  const { properties, ...rest } = ofMessage(messageType(message), schemas);
  schemas[key] = { ...rest, ...identity, properties: { ...head, ...objectOf(properties) } };
}

function ofMessage(type: MessageType, schemas: Record<string, Json>): Json {
  const properties: Record<string, Json> = {};
  for (const [name, field] of type.byName) properties[name] = ofType(field.type, schemas);
  return { type: "object", properties };
}

function ofType(type: ValueType, schemas: Record<string, Json>): Json {
  switch (type.kind) {
    case "any":
      return { type: "object" };
    case "list":
      return { type: "array", items: ofType(type.of, schemas) };
    case "map":
      return { type: "object", additionalProperties: ofType(type.of, schemas) };
    case "message": {
      const key = `message.${type.message}`;
      if (schemas[key] === undefined) {
        schemas[key] = {}; // a message may hold itself
        schemas[key] = ofMessage(messageType(type.message), schemas);
      }
      return { allOf: [{ $ref: `#/components/schemas/${key}` }] };
    }
    case "scalar":
      switch (type.scalar) {
        case "i":
          return { type: "integer" };
        case "b":
          return { type: "boolean" };
        case "t":
        case "u":
          return { type: "string", format: "date-time" };
        case "y":
          return { type: "string", format: "byte" };
        case "p":
          return { type: "string", format: "int-or-string" };
        default:
          return { type: "string" };
      }
  }
}

function ofSchema(schema: Schema): Json {
  switch (schema.type) {
    case "list":
      return { type: "array", items: ofSchema(schema.of) };
    case "map":
      return { type: "object", additionalProperties: ofSchema(schema.of) };
    case "object":
      return {
        type: "object",
        properties: Object.fromEntries(
          Object.entries(schema.fields).map(([name, of]) => [name, ofSchema(of)]),
        ),
        ...(schema.required === undefined || schema.required.length === 0
          ? {}
          : { required: schema.required }),
        ...(schema.isOpen === true ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
      };
    case "any":
      return { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    case "integer-or-string":
    case "number-or-string":
      return { type: "string", "x-kubernetes-int-or-string": true };
    default:
      return { type: schema.type };
  }
}

function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
