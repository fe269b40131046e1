import { unreachable } from "../invariant.ts";
import type { KubeObject } from "./object.ts";

/** One requirement of a label selector. */
export type LabelRequirement =
  | { readonly kind: "in" | "not-in"; readonly key: string; readonly values: ReadonlySet<string> }
  | { readonly kind: "above" | "below"; readonly key: string; readonly bound: number }
  | { readonly kind: "exists" | "absent"; readonly key: string };

const SET_REQUIREMENT = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EQUALITY = /^([^!=\s]+)\s*(==|=|!=)\s*([^!=\s]*)$/;
const BOUND = /^([^<>\s]+)\s*([<>])\s*(-?\d+)$/;
const KEY = /^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?$/;

/** Reads the text form `a=b,c!=d,e in (f,g),h,!i,j>1,k<9`; `undefined` if it is malformed. */
export function parseLabelSelector(text: string): readonly LabelRequirement[] | undefined {
  const requirements: LabelRequirement[] = [];
  for (const part of text.split(/,(?![^(]*\))/).map((piece) => piece.trim())) {
    if (part === "") continue;
    const requirement = parseRequirement(part);
    if (requirement === undefined) return undefined;
    requirements.push(requirement);
  }
  return requirements;
}

/** Whether labels meet every requirement. As in Kubernetes, `!=` and `notin` accept an absent label. */
export function matchesLabels(
  labels: KubeObject["metadata"]["labels"],
  requirements: readonly LabelRequirement[],
): boolean {
  return requirements.every((requirement) => meets(labels?.[requirement.key], requirement));
}

/** The text form of a `matchLabels` map. */
export function selectorText(matchLabels: Readonly<Record<string, string>>): string {
  return Object.entries(matchLabels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
}

function parseRequirement(part: string): LabelRequirement | undefined {
  const set = SET_REQUIREMENT.exec(part);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    if (!KEY.test(key)) return undefined;
    return {
      kind: operator === "in" ? "in" : "not-in",
      key,
      values: new Set(list.split(",").map((value) => value.trim())),
    };
  }
  const equality = EQUALITY.exec(part);
  if (equality !== null) {
    const [, key = "", operator, value = ""] = equality;
    if (!KEY.test(key)) return undefined;
    return { kind: operator === "!=" ? "not-in" : "in", key, values: new Set([value]) };
  }
  const bound = BOUND.exec(part);
  if (bound !== null) {
    const [, key = "", operator, value] = bound;
    if (!KEY.test(key)) return undefined;
    return { kind: operator === ">" ? "above" : "below", key, bound: Number(value) };
  }
  const isAbsent = part.startsWith("!");
  const key = isAbsent ? part.slice(1).trim() : part;
  return KEY.test(key) ? { kind: isAbsent ? "absent" : "exists", key } : undefined;
}

function meets(value: string | undefined, requirement: LabelRequirement): boolean {
  switch (requirement.kind) {
    case "exists":
      return value !== undefined;
    case "absent":
      return value === undefined;
    case "above":
      return isWhole(value) && Number(value) > requirement.bound;
    case "below":
      return isWhole(value) && Number(value) < requirement.bound;
    case "in":
      return value !== undefined && requirement.values.has(value);
    case "not-in":
      return value === undefined || !requirement.values.has(value);
    default:
      return unreachable(requirement);
  }
}

function isWhole(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value);
}
