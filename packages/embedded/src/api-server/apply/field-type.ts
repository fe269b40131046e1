import type { Kind, KubeObject } from "@rouse/shared";
import type { Schema } from "../../admission/schema.ts";
import { messageType, type ValueType } from "../built-in/message-types.ts";
import type { ApiResource } from "../wire/api-resource.ts";
import { customSchema } from "../wire/internal-schemas.ts";

/** How a place in an object is shared between those who apply it: as one value, or part by part. */
export type FieldType =
  /** One value, whatever it is made of; whoever sets it owns all of it. */
  | { readonly kind: "whole" }
  /** Members one by one. Without a type of its own a member is of `untyped`. */
  | { readonly kind: "members"; readonly of: (name: string) => FieldType }
  /** A list whose elements are told apart by some of their members. */
  | { readonly kind: "elements"; readonly keys: readonly ListKey[]; readonly of: FieldType }
  /** A list of values, each at most once. */
  | { readonly kind: "set" };

export interface ListKey {
  readonly name: string;
  /** What it is where an element does not say. */
  readonly fallback?: string;
}

const whole: FieldType = { kind: "whole" };
/** Where nothing is said: maps member by member, lists whole. */
const untyped: FieldType = { kind: "members", of: () => untyped };

/** Messages that only make sense as they are: references, selectors, addresses. */
const WHOLE_MESSAGES: ReadonlySet<string> = new Set([
  "EndpointAddress",
  "EndpointPort",
  "KeySelector",
  "LabelSelector",
  "LocalObjectReference",
  "ObjectFieldSelector",
  "ObjectReference",
  "ResourceFieldSelector",
]);
/** Maps that are one value. */
const WHOLE_MEMBERS: ReadonlySet<string> = new Set(["ServiceSpec.selector", "PodSpec.nodeSelector"]);
/** Lists whose elements need more than the key of strategic patches to be told apart. */
const MORE_KEYS: Readonly<Record<string, readonly ListKey[]>> = {
  "ServiceSpec.ports": [{ name: "port" }, { name: "protocol", fallback: "TCP" }],
  "Container.ports": [{ name: "containerPort" }, { name: "protocol", fallback: "TCP" }],
  "PodSpec.topologySpreadConstraints": [{ name: "topologyKey" }, { name: "whenUnsatisfiable" }],
};

/** The type of a resource's objects. Lists of custom resources are whole, as their schemas name no keys. */
export function fieldTypeOf({ kind, message }: ApiResource): FieldType {
  return message === undefined ? ofCustom(kind) : ofMessage(message);
}

function ofCustom(kind: Kind<KubeObject>): FieldType {
  const schema = ofSchema(customSchema(kind));
  const metadata = ofMessage("ObjectMeta");
  return {
    kind: "members",
    of: (name) => {
      if (name === "metadata") return metadata;
      return schema.kind === "members" ? schema.of(name) : untyped;
    },
  };
}

function ofMessage(message: string): FieldType {
  if (WHOLE_MESSAGES.has(message)) return whole;
  return {
    kind: "members",
    of: (name) => {
      const type = messageType(message).byName.get(name)?.type;
      return type === undefined ? untyped : ofValue(type, `${message}.${name}`);
    },
  };
}

function ofValue(type: ValueType, member: string): FieldType {
  switch (type.kind) {
    case "scalar":
      return whole;
    case "any":
      return untyped;
    case "message":
      return ofMessage(type.message);
    case "map":
      return WHOLE_MEMBERS.has(member) ? whole : { kind: "members", of: () => ofValue(type.of, "") };
    case "list": {
      const { mergeKey } = type;
      if (mergeKey === undefined) return whole;
      if (mergeKey === "") return { kind: "set" };
      const keys = MORE_KEYS[member] ?? [{ name: mergeKey }];
      return { kind: "elements", keys, of: ofElement(type.of) };
    }
  }
}

/** What is whole elsewhere is an element here, and has members that are its keys. */
function ofElement(type: ValueType): FieldType {
  if (type.kind !== "message") return untyped;
  const { message } = type;
  return {
    kind: "members",
    of: (name) => {
      const inner = messageType(message).byName.get(name)?.type;
      return inner === undefined ? untyped : ofValue(inner, `${message}.${name}`);
    },
  };
}

function ofSchema(schema: Schema): FieldType {
  switch (schema.type) {
    case "object":
      return {
        kind: "members",
        of: (name) => {
          const field = Object.hasOwn(schema.fields, name) ? schema.fields[name] : undefined;
          return field === undefined ? untyped : ofSchema(field);
        },
      };
    case "map":
      return { kind: "members", of: () => ofSchema(schema.of) };
    case "any":
      return untyped;
    default:
      return whole;
  }
}
