import {
  type AnyObject,
  apiVersion,
  isJsonMap,
  type JsonMap,
  KubeError,
  type ManagedFields,
  type StatusCause,
} from "@rouse/shared";
import type { ApiResource } from "../wire/api-resource.ts";
import { common, type FieldSet, isNothing, minus, nothing, pathsOf, union } from "./field-set.ts";
import { type FieldType, fieldTypeOf } from "./field-type.ts";
import {
  afterApply,
  afterUpdate,
  isSame,
  type Manager,
  type Owned,
  readOwned,
  writeOwned,
} from "./managed-fields.ts";
import { differenceOf, merged, setOf, without } from "./typed-value.ts";

/** Who writes, and through which door. */
export interface Writer {
  readonly manager: string;
  readonly subresource: "status" | undefined;
  /** RFC 3339. */
  readonly now: string;
}

/** What an apply makes of an object, and who owns what afterwards. */
export interface Applied {
  readonly object: AnyObject;
  readonly managedFields: readonly ManagedFields[] | undefined;
}

/** Metadata that only the server writes, or that says which object it is. */
const NOBODYS: ReadonlySet<string> = new Set([
  "name",
  "namespace",
  "generateName",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "selfLink",
  "managedFields",
]);
/** Goes on with what it applied by itself, and may go back to that. */
const KUBECTL = "kubectl";
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
/** Who owns an object that nobody has been noted for. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/**
 * Who owns which fields of a resource's objects: the `managedFields` of every write, and server-side apply with its
 * conflicts. P-54. Pure: nothing here reads or writes the store.
 */
export class Ownership {
  readonly #type: FieldType;
  readonly #apiVersion: string;
  readonly #hasStatus: boolean;

  constructor(resource: ApiResource) {
    this.#type = fieldTypeOf(resource);
    this.#apiVersion = apiVersion(resource.kind);
    this.#hasStatus = resource.kind.hasStatus;
  }

  /**
   * After a create, replace or patch. `sent`: the managed fields its body had, as clients may rewrite them; a list of one
   * empty entry forgets all.
   */
  updated(
    change: { readonly before: AnyObject | undefined; readonly after: AnyObject; readonly sent: unknown },
    writer: Writer,
  ): readonly ManagedFields[] | undefined {
    const { before, after, sent } = change;
    const present = before?.metadata.managedFields;
    const difference = differenceOf(
      this.#type,
      before === undefined ? {} : this.#ownable(before, writer),
      this.#ownable(after, writer),
    );
    const isRewritten = Array.isArray(sent) && sent.length > 0;
    const owned = readOwned(isRewritten ? sent : present);
    return writeOwned(afterUpdate(owned, this.#manager(writer, "Update"), difference, writer.now), present);
  }

  /**
   * What `config` makes of `live`: its fields are set, those it said last time and leaves out now are removed where nobody
   * else owns them. `shape` brings the result into the form of its kind.
   * @throws KubeError `Conflict` where another owns a field it has otherwise, unless `isForced`
   */
  applied(
    { live, config, shape }: { live: AnyObject; config: JsonMap; shape: (object: AnyObject) => AnyObject },
    writer: Writer & { readonly isForced: boolean },
  ): Applied {
    const manager = this.#manager(writer, "Apply");
    const before = this.#ownable(live, writer);
    const wanted = this.#ownable(config, writer);
    const set = isEmpty(wanted) ? nothing : setOf(this.#type, wanted);
    const owned = this.#ownedOf(live, before);
    const others = owned.filter((each) => !isSame(each.manager, manager));
    const last = owned.find((each) => isSame(each.manager, manager))?.set ?? nothing;
    const staying = others.reduce((all, each) => union(all, each.set), set);
    const joined = without(this.#type, merged(this.#type, before, wanted), minus(last, staying));
    const object = shape(this.#withOwnable(live, isJsonMap(joined) ? joined : {}, writer));
    const difference = differenceOf(this.#type, before, this.#ownable(object, writer));
    const claimed = { ...difference, changed: common(difference.changed, set) };
    if (!writer.isForced) {
      const moving = writer.manager === KUBECTL ? this.#appliedByClient(live, writer) : nothing;
      refuseConflicts(others, minus(claimed.changed, moving));
    }
    const next = afterApply(owned, manager, { set, difference: claimed, now: writer.now });
    return {
      object: writer.manager === KUBECTL ? withLastApplied(object, live, config) : object,
      managedFields: writeOwned(next, live.metadata.managedFields),
    };
  }

  /** What kubectl applied before it left that to the server: it is its own, whoever is noted for it. */
  #appliedByClient(live: AnyObject, writer: Writer): FieldSet {
    const text = live.metadata.annotations?.[LAST_APPLIED];
    if (text === undefined) return nothing;
    try {
      const config: unknown = JSON.parse(text);
      return isJsonMap(config) ? setOf(this.#type, this.#ownable(config, writer)) : nothing;
    } catch {
      return nothing; // anybody may write annotations
    }
  }

  #ownedOf(live: AnyObject, before: JsonMap): readonly Owned[] {
    const owned = readOwned(live.metadata.managedFields);
    const isNew = live.metadata.uid === undefined;
    if (owned.length > 0 || isNew || isEmpty(before)) return owned;
    const manager = { name: BEFORE_FIRST_APPLY, operation: "Update", subresource: "" } as const;
    const time = live.metadata.creationTimestamp;
    return [{ manager: { ...manager, apiVersion: this.#apiVersion }, set: setOf(this.#type, before), time }];
  }

  #manager({ manager, subresource }: Writer, operation: Manager["operation"]): Manager {
    return { name: manager, operation, apiVersion: this.#apiVersion, subresource: subresource ?? "" };
  }

  /** The part of an object that can be owned through this door. */
  #ownable(object: AnyObject | JsonMap, { subresource }: Writer): JsonMap {
    const { apiVersion: _, kind: _k, metadata, status, ...rest } = { ...object } as JsonMap;
    if (subresource === "status") return status === undefined ? {} : { status };
    const own = isJsonMap(metadata) ? Object.entries(metadata).filter(([name]) => !NOBODYS.has(name)) : [];
    return {
      ...rest,
      ...(own.length === 0 ? {} : { metadata: Object.fromEntries(own) }),
      ...(this.#hasStatus || status === undefined ? {} : { status }),
    };
  }

  /** `live` with its ownable part replaced. */
  #withOwnable(live: AnyObject, ownable: JsonMap, { subresource }: Writer): AnyObject {
    const { apiVersion: version, kind, metadata, status } = live;
    if (subresource === "status") return { ...live, status: ownable.status };
    const fixed = Object.fromEntries(Object.entries(metadata).filter(([name]) => NOBODYS.has(name)));
    return {
      ...ownable,
      apiVersion: version,
      kind,
      metadata: {
        ...fixed,
        ...(isJsonMap(ownable.metadata) ? ownable.metadata : {}),
        name: metadata.name,
      },
      ...(this.#hasStatus && status !== undefined ? { status } : {}),
    };
  }
}

/** An annotation that kubectl leaves when it computes patches itself is kept true, where it is. */
function withLastApplied(object: AnyObject, live: AnyObject, config: JsonMap): AnyObject {
  if (live.metadata.annotations?.[LAST_APPLIED] === undefined) return object;
  const annotations = { ...object.metadata.annotations, [LAST_APPLIED]: `${JSON.stringify(config)}\n` };
  return { ...object, metadata: { ...object.metadata, annotations } };
}

/** @throws KubeError `Conflict` naming every field and who has it. P-30 */
function refuseConflicts(others: readonly Owned[], changed: FieldSet): void {
  const conflicts = others.flatMap(({ manager, set, time }) => {
    const both = common(set, changed);
    return isNothing(both) ? [] : [{ who: shown(manager, time), paths: pathsOf(both) }];
  });
  const causes: readonly StatusCause[] = conflicts.flatMap(({ who, paths }) =>
    paths.map((field) => ({
      reason: "FieldManagerConflict" as const,
      message: `conflict with ${who}`,
      field,
    })),
  );
  if (causes.length === 0) return;
  const [only] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`
      : `Apply failed with ${causes.length} conflicts: ${conflicts
          .map(({ who, paths }) => [`conflicts with ${who}:`, ...paths.map((path) => `- ${path}`)].join("\n"))
          .join("\n")}`;
  throw new KubeError("Conflict", message, { causes });
}

function shown(
  { name, operation, apiVersion: version, subresource }: Manager,
  time: string | undefined,
): string {
  const door = subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  const how = operation === "Apply" ? "" : ` using ${version}${time === undefined ? "" : ` at ${time}`}`;
  return `${JSON.stringify(name)}${door}${how}`;
}

function isEmpty(value: JsonMap): boolean {
  return Object.keys(value).length === 0;
}
