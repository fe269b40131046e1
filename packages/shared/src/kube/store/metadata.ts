import { rfc3339, type WallMs } from "../../clock/clock.ts";
import type { Random } from "../../random.ts";
import type { ObjectMeta, OwnerReference, StoredMeta } from "../object.ts";

const GENERATED_PREFIX_MAX = 58;
const GENERATED_SUFFIX_LENGTH = 5;
/** No vowels and no look-alikes, so that what is generated reads as nothing. P-44. */
const GENERATED_ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** Metadata as it is stored, with the version still to be given when it is. */
export type MetadataDraft = Omit<StoredMeta, "resourceVersion">;

/** Metadata of a new object: what a client may say, and what only the server does (P-41). */
export function newMetadata(
  sent: ObjectMeta,
  made: { readonly name: string; readonly namespace: string; readonly uid: string; readonly at: WallMs },
): MetadataDraft {
  return {
    name: made.name,
    ...(sent.generateName ? { generateName: sent.generateName } : {}),
    namespace: made.namespace,
    uid: made.uid,
    generation: 1,
    creationTimestamp: rfc3339(made.at),
    ...clientOwned(sent),
  };
}

/** Metadata after a write: what clients own is taken from `sent`, all else stays. */
export function changedMetadata(before: MetadataDraft, sent: ObjectMeta): MetadataDraft {
  const { labels: _l, annotations: _a, ownerReferences: _o, finalizers: _f, ...kept } = before;
  return { ...kept, ...clientOwned(sent) };
}

interface ClientOwned {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** Empty ones are left out, so that sending one is no change. */
function clientOwned({ labels, annotations, ownerReferences, finalizers }: ObjectMeta): ClientOwned {
  return {
    ...(isEmpty(labels) ? {} : { labels }),
    ...(isEmpty(annotations) ? {} : { annotations }),
    ...(isEmpty(ownerReferences) ? {} : { ownerReferences }),
    ...(isEmpty(finalizers) ? {} : { finalizers }),
  };
}

function isEmpty(value: object | undefined): value is undefined {
  return value === undefined || (typeof value === "object" && Object.keys(value).length === 0);
}

/** `prefix` and five random characters. P-44. */
export function generatedName(prefix: string, random: Random): string {
  let name = prefix.slice(0, GENERATED_PREFIX_MAX);
  for (let i = 0; i < GENERATED_SUFFIX_LENGTH; i++) {
    name += GENERATED_ALPHABET[random.integer(0, GENERATED_ALPHABET.length - 1)] ?? "";
  }
  return name;
}

/** RFC 4122 version 4, from chance. Names objects apart; it is no secret. */
export function uuidV4(random: Random): string {
  const hex = Array.from({ length: 4 }, () =>
    random.integer(0, 0xffff_ffff).toString(16).padStart(8, "0"),
  ).join("");
  const variant = "89ab"[random.integer(0, 3)] ?? "8";
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
