import { Ajv, type ValidateFunction } from "ajv";
import { at, listAt, type Manifest } from "./manifest.ts";

/** The schemas custom resources have to meet, as our own definitions say. */
export class CustomSchemas {
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(manifests: readonly Manifest[]) {
    const ajv = new Ajv({ allErrors: true, strict: false, formats: { int32: true, int64: true } });
    for (const definition of manifests.filter(({ kind }) => kind === "CustomResourceDefinition")) {
      const group = at(definition, "spec", "group");
      const kind = at(definition, "spec", "names", "kind");
      for (const version of listAt(definition, "spec", "versions")) {
        const schema = closed(at(version, "schema", "openAPIV3Schema"));
        this.#validators.set(`${group}/${at(version, "name")} ${kind}`, ajv.compile(schema));
      }
    }
  }

  /** What the definition has against an object; members it does not name are told, as a server would drop them. */
  problems(object: { readonly apiVersion: string; readonly kind: string }): readonly string[] {
    const validate = this.#validators.get(`${object.apiVersion} ${object.kind}`);
    if (validate === undefined) return [`no definition of ${object.apiVersion} ${object.kind}`];
    validate(object);
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }
}

/** The schema with `additionalProperties: false` wherever members are named; `metadata` is the server's to check. */
function closed(schema: unknown, name = ""): object {
  if (typeof schema !== "object" || schema === null) return {};
  const properties = at(schema, "properties");
  const items = at(schema, "items");
  const isNamed = typeof properties === "object" && properties !== null && name !== "metadata";
  return {
    ...schema,
    ...(isNamed
      ? {
          additionalProperties: false,
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, value]) => [key, closed(value, key)]),
          ),
        }
      : {}),
    ...(items === undefined ? {} : { items: closed(items) }),
  };
}
