import * as client from "@kubernetes/client-node";
import * as admission from "kubernetes-models/admissionregistration.k8s.io/v1";
import * as crds from "kubernetes-models/apiextensions.k8s.io/v1";
import * as apps from "kubernetes-models/apps/v1";
import * as autoscaling from "kubernetes-models/autoscaling/v2";
import * as networking from "kubernetes-models/networking.k8s.io/v1";
import * as policy from "kubernetes-models/policy/v1";
import * as rbac from "kubernetes-models/rbac.authorization.k8s.io/v1";
import * as core from "kubernetes-models/v1";
import type { Manifest } from "./manifest.ts";

const groups: Readonly<Record<string, object>> = {
  v1: core,
  "apps/v1": apps,
  "autoscaling/v2": autoscaling,
  "networking.k8s.io/v1": networking,
  "policy/v1": policy,
  "rbac.authorization.k8s.io/v1": rbac,
  "admissionregistration.k8s.io/v1": admission,
  "apiextensions.k8s.io/v1": crds,
};

/** What Kubernetes' own schema has against an object of a compiled-in kind; a kind nobody knows is a problem, too. */
export function builtInProblems(manifest: Manifest): readonly string[] {
  const { apiVersion, kind } = manifest;
  const Model: unknown = Reflect.get(groups[apiVersion] ?? {}, kind);
  if (typeof Model !== "function") return [`no schema for ${apiVersion} ${kind}`];
  const version = apiVersion.split("/").at(-1) ?? "";
  const object: unknown = Reflect.construct(Model, [manifest]);
  return [...schemaProblems(object), ...unknownMembers(manifest, modelName(version, kind), "")];
}

/** Types, required members, enumerations. The schema lets unknown members pass. */
function schemaProblems(object: unknown): readonly string[] {
  const validate: unknown =
    typeof object === "object" && object !== null ? Reflect.get(object, "validate") : undefined;
  if (typeof validate !== "function") return ["the schema cannot be run"];
  try {
    validate.call(object);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function modelName(version: string, kind: string): string {
  return `${version[0]?.toUpperCase()}${version.slice(1)}${kind}`;
}

/** Members a type does not have: a server would drop them, so they are misspelt or misplaced. */
function unknownMembers(value: unknown, type: string, path: string): readonly string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    return items.flatMap((item, index) => unknownMembers(item, list, `${path}/${index}`));
  }
  const members = membersOf(type);
  if (members === undefined || typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const known = members.find(({ baseName }) => baseName === name);
    if (known === undefined) return [`${path}/${name} is no member of ${type}`];
    return unknownMembers(member, known.type, `${path}/${name}`);
  });
}

interface Member {
  readonly baseName: string;
  readonly type: string;
}

/** The members of a type of the API by the official client's table; `undefined` for scalars, maps and whatever is free. */
function membersOf(type: string): readonly Member[] | undefined {
  const model: unknown = Reflect.get(client, type);
  if (typeof model !== "function") return undefined;
  const table: unknown = Reflect.get(model, "getAttributeTypeMap");
  if (typeof table !== "function") return undefined;
  const members: readonly Member[] = table.call(model);
  return members;
}
