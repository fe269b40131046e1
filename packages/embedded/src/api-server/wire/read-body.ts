import {
  type AnyObject,
  apiVersion,
  badRequest,
  invalid,
  invalidValue,
  isBuiltIn,
  isJsonMap,
  type JsonMap,
  KubeError,
  type KubeObject,
} from "@rouse/shared";
import { parse as parseYaml } from "yaml";
import { type Normalized, normalizeMessage, undecodable, WrongTypeError } from "../built-in/normalize.ts";
import { decodeMessage, ProtobufError, readEnvelope } from "../built-in/protobuf.ts";
import type { ApiResource } from "./api-resource.ts";
import { pruneCustom } from "./custom-shape.ts";
import { duplicateFields } from "./duplicate-fields.ts";
import { toCoreEvent } from "./event-view.ts";

/** A body as it came. */
export interface Body {
  readonly contentType: string | undefined;
  readonly bytes: Buffer;
}

/** P-96. */
export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** An object in the shape of its kind, with what its sender should hear about it. */
export interface ReadObject {
  readonly object: AnyObject;
  /** `unknown field "spec.nope"`, `duplicate field "data.k"`. */
  readonly complaints: readonly string[];
}

const UNKNOWN_FORMAT =
  "the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf";

/** Reads the object of a create or replace. @throws KubeError */
export function readObject(resource: ApiResource, body: Body): ReadObject {
  // Custom resources have no protobuf form (P-132).
  const isProtobuf = body.contentType?.includes("vnd.kubernetes.protobuf") ?? false;
  if (isProtobuf && resource.message === undefined)
    throw new KubeError("UnsupportedMediaType", UNKNOWN_FORMAT);
  const { value, duplicates } = readValue(resource.kind.kind, resource.message ?? resource.kind.kind, body);
  const identified = identify(resource, value);
  const shaped = shapeObject(resource, identified);
  return { object: shaped.object, complaints: [...shaped.complaints, ...duplicates.map(duplicate)] };
}

/**
 * Reads the body of a server-side apply, YAML or JSON: what it says and nothing that its kind would fill in. P-54
 * @throws KubeError
 */
export function readApplied(resource: ApiResource, { bytes }: Body): ReadObject {
  const sent = mapOf(resource.kind.kind, yaml(resource.kind.kind, bytes.toString("utf8")));
  const metadata = sent.metadata ?? {};
  if (isJsonMap(metadata) && metadata.managedFields !== undefined && metadata.managedFields !== null) {
    throw badRequest("metadata.managedFields must be nil");
  }
  const identified = identify(resource, sent);
  const { object, complaints } = shapeObject(resource, identified);
  const { apiVersion: version, kind, metadata: named } = identified;
  const config = restricted(object, identified);
  return {
    object: {
      ...config,
      apiVersion: version,
      kind,
      metadata: { ...(isJsonMap(config.metadata) ? config.metadata : {}), name: named.name },
    },
    complaints,
  };
}

/** The members of `shaped` that `sent` has as well. */
function restricted(shaped: unknown, sent: unknown): JsonMap {
  return isJsonMap(shaped) && isJsonMap(sent)
    ? Object.fromEntries(
        Object.entries(sent)
          .filter(([name, value]) => value !== null && Object.hasOwn(shaped, name))
          .map(([name, value]) => [name, restrictedValue(shaped[name], value)]),
      )
    : {};
}

function restrictedValue(shaped: unknown, sent: unknown): unknown {
  if (Array.isArray(shaped) && Array.isArray(sent)) {
    return shaped.map((item: unknown, index) => restrictedValue(item, sent[index]));
  }
  return isJsonMap(shaped) && isJsonMap(sent) ? restricted(shaped, sent) : shaped;
}

/** Brings what a body or a patch made into the shape of its kind. @throws KubeError for a value of a wrong type */
export function shapeObject(resource: ApiResource, object: AnyObject): ReadObject {
  const { kind, message } = resource;
  if (message === undefined) {
    const pruned = isBuiltIn(kind) ? { object, unknownFields: [] } : pruneCustom(kind, object);
    const metadata = shapeMetadata(resource, pruned.object);
    const unknownFields = [
      ...pruned.unknownFields,
      ...metadata.unknownFields.map((name) => `metadata.${name}`),
    ];
    return {
      object: { ...pruned.object, metadata: { ...metadata.value, name: object.metadata.name } },
      complaints: unknownFields.map(unknownField),
    };
  }
  try {
    const { value, unknownFields } = normalizeMessage(message, { ...object });
    const shaped = {
      ...value,
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: metadataOf(value),
    };
    const stored = resource.storedAs === kind ? shaped : toCoreEvent(shaped);
    return { object: stored, complaints: unknownFields.map(unknownField) };
  } catch (error) {
    if (error instanceof WrongTypeError) throw undecodable(kind, error.message);
    throw error;
  }
}

/** Metadata has the same members in every kind. @throws KubeError `BadRequest` for one of a wrong type */
function shapeMetadata({ kind }: ApiResource, { metadata }: AnyObject): Normalized {
  try {
    return normalizeMessage("ObjectMeta", { ...metadata });
  } catch (error) {
    if (error instanceof WrongTypeError) throw undecodable(kind, error.message);
    throw error;
  }
}

/** A value of any kind: reviews, scales, delete options. @throws KubeError */
export function readAny(kindName: string, body: Body): JsonMap {
  return readValue(kindName, kindName, body).value;
}

function readValue(
  kindName: string,
  message: string,
  { contentType, bytes }: Body,
): { readonly value: JsonMap; readonly duplicates: readonly string[] } {
  const type = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  switch (type) {
    case "":
    case "application/json":
      return parseJson(kindName, bytes.toString("utf8"));
    case "application/yaml":
      return { value: mapOf(kindName, yaml(kindName, bytes.toString("utf8"))), duplicates: [] };
    case "application/vnd.kubernetes.protobuf":
      return { value: protobuf(kindName, message, bytes), duplicates: [] };
    default:
      throw new KubeError("UnsupportedMediaType", UNKNOWN_FORMAT);
  }
}

function parseJson(kindName: string, text: string): { value: JsonMap; duplicates: readonly string[] } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unrecognized(kindName, `json parse error: ${error instanceof Error ? error.message : ""}`);
  }
  return { value: mapOf(kindName, value), duplicates: duplicateFields(text) };
}

function yaml(kindName: string, text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (error) {
    throw unrecognized(kindName, `yaml: ${error instanceof Error ? error.message : ""}`);
  }
}

function protobuf(kindName: string, message: string, bytes: Buffer): JsonMap {
  try {
    const { apiVersion: version, kind, raw } = readEnvelope(bytes);
    // Options come under the group of the call they belong to.
    const name = message === kindName && kind !== "" ? kind : message;
    const decoded = decodeMessage(message.includes(".") ? message : name, raw);
    return {
      ...decoded,
      ...(version === "" ? {} : { apiVersion: version }),
      ...(kind === "" ? {} : { kind }),
    };
  } catch (error) {
    if (error instanceof ProtobufError) throw unrecognized(kindName, error.message);
    throw error;
  }
}

/** What the path says may be left out by compiled-in kinds, and contradicted by none. P-31 */
function identify({ kind }: ApiResource, value: JsonMap): AnyObject {
  const version = apiVersion(kind);
  const builtIn = isBuiltIn(kind);
  const { apiVersion: sentVersion = builtIn ? version : "", kind: sentKind = builtIn ? kind.kind : "" } =
    value;
  const metadata = value.metadata ?? {};
  if (!isJsonMap(metadata)) throw undecodable(kind, "json: cannot unmarshal metadata into an object");
  const { name = "" } = metadata;
  if (typeof name !== "string") throw undecodable(kind, "json: cannot unmarshal metadata.name into a string");
  if (!builtIn && (sentVersion === "" || sentKind === "")) {
    throw unrecognized(kind.kind, `Object '${sentKind === "" ? "Kind" : "apiVersion"}' is missing`);
  }
  if (sentVersion !== version) {
    throw undecodable(
      kind,
      `no kind "${String(sentKind)}" is registered for version "${String(sentVersion)}"`,
    );
  }
  if (sentKind !== kind.kind) {
    if (builtIn) throw undecodable(kind, `the object is a ${String(sentKind)}`);
    const cause = invalidValue("kind", sentKind, `must be ${kind.kind}`);
    throw invalid({ ...kind, kind: String(sentKind) }, name, [cause]);
  }
  return { ...value, apiVersion: version, kind: kind.kind, metadata: { ...metadata, name } };
}

/** The members of metadata have the types a message says; custom resources are checked for these alone. */
function metadataOf(value: JsonMap): KubeObject["metadata"] {
  const { metadata } = value;
  const name = isJsonMap(metadata) && typeof metadata.name === "string" ? metadata.name : "";
  return { ...(isJsonMap(metadata) ? metadata : {}), name };
}

function mapOf(kindName: string, value: unknown): JsonMap {
  if (isJsonMap(value)) return value;
  throw unrecognized(kindName, "couldn't get version/kind; json parse error: the body is no object");
}

function unrecognized(kindName: string, why: string): KubeError {
  return badRequest(`the object provided is unrecognized (must be of type ${kindName}): ${why}`);
}

function unknownField(path: string): string {
  return `unknown field "${path}"`;
}

function duplicate(path: string): string {
  return `duplicate field "${path}"`;
}
