import {
  badRequest,
  type DeleteOptions,
  isJsonMap,
  KubeError,
  memberAt,
  type StatusCause,
} from "@rouse/shared";
import type { FieldValidation } from "./read-body.ts";

/** What a write says beside its body. */
export interface WriteRequestOptions {
  readonly isDryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** Who writes, if it says so. */
  readonly fieldManager: string | undefined;
  /** Of an apply: fields of others are taken from them. */
  readonly isForced: boolean;
}

const MANAGER_BYTES_MAX = 128;

/** P-39. @param kind how the reference calls the options of this verb @throws KubeError `Invalid` */
export function readWriteOptions(
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions" | "DeleteOptions",
  search: URLSearchParams,
  { isApply = false }: { readonly isApply?: boolean } = {},
): WriteRequestOptions {
  const causes: StatusCause[] = [];
  const dryRun = search.getAll("dryRun").filter((value) => value !== "");
  if (dryRun.some((value) => value !== "All")) causes.push(unsupported("dryRun", dryRun, ["All"]));
  const validation = search.get("fieldValidation") ?? "";
  if (!["", "Ignore", "Strict", "Warn"].includes(validation)) {
    causes.push(unsupported("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (Buffer.byteLength(search.get("fieldManager") ?? "") > MANAGER_BYTES_MAX) {
    const message = `Too long: may not be more than ${MANAGER_BYTES_MAX} bytes`;
    causes.push({ reason: "FieldValueTooLong", message, field: "fieldManager" });
  }
  const fieldManager = search.get("fieldManager") || undefined;
  if (isApply && fieldManager === undefined) {
    const message = "Required value: is required for apply patch";
    causes.push({ reason: "FieldValueRequired", message, field: "fieldManager" });
  }
  if (kind === "PatchOptions" && !isApply && search.has("force")) {
    const message = "Forbidden: may not be specified for non-apply patch";
    causes.push({ reason: "FieldValueForbidden", message, field: "force" });
  }
  if (causes.length > 0) throw invalidOptions(kind, causes);
  const fieldValidation = validation === "Ignore" || validation === "Strict" ? validation : "Warn";
  return {
    isDryRun: dryRun.length > 0,
    fieldValidation,
    fieldManager,
    isForced: isTrue(search.get("force")),
  };
}

/** From the body and the query. P-81 @throws KubeError */
export function readDeleteOptions(
  search: URLSearchParams,
  body: unknown,
): DeleteOptions & { readonly isDryRun: boolean } {
  const { isDryRun } = readWriteOptions("DeleteOptions", search);
  const policy = text(memberAt(body, "propagationPolicy")) ?? search.get("propagationPolicy") ?? undefined;
  const orphan = memberAt(body, "orphanDependents") ?? search.get("orphanDependents");
  const grace = memberAt(body, "gracePeriodSeconds") ?? search.get("gracePeriodSeconds") ?? undefined;
  const dryRun = isJsonMap(body) ? body.dryRun : undefined;
  const uid = text(memberAt(body, "preconditions.uid"));
  const resourceVersion = text(memberAt(body, "preconditions.resourceVersion"));
  if (grace !== undefined && !Number.isInteger(Number(grace))) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  }
  if (Array.isArray(dryRun) && dryRun.some((value) => value !== "All")) {
    throw invalidOptions("DeleteOptions", [unsupported("dryRun", dryRun, ["All"])]);
  }
  const propagation = propagationOf(policy, orphan);
  return {
    isDryRun: isDryRun || (Array.isArray(dryRun) && dryRun.length > 0),
    ...(propagation === undefined ? {} : { propagation }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(grace === undefined ? {} : { gracePeriodSeconds: Number(grace) }),
  };
}

function propagationOf(policy: string | undefined, orphan: unknown): DeleteOptions["propagation"] {
  if (policy !== undefined && (orphan === true || orphan === false)) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    const message = `Invalid value: ${JSON.stringify(policy)}: ${why}`;
    throw invalidOptions("DeleteOptions", [
      { reason: "FieldValueInvalid", message, field: "propagationPolicy" },
    ]);
  }
  switch (policy) {
    case undefined:
    case "":
      if (orphan === null || orphan === undefined) return undefined;
      return orphan === true || orphan === "true" ? "Orphan" : "Background";
    case "Orphan":
    case "Background":
    case "Foreground":
      return policy;
    default:
      throw invalidOptions("DeleteOptions", [
        unsupported("propagationPolicy", policy, ["Foreground", "Background", "Orphan", "nil"]),
      ]);
  }
}

/** How a list or watch begins. P-104, P-117 */
export interface ReadStart {
  /** Absent: the newest. */
  readonly version: string | undefined;
  readonly match: string | undefined;
  readonly sendsInitialEvents: boolean | undefined;
}

/** @throws KubeError `Invalid`, `BadRequest` */
export function readStart(search: URLSearchParams, verb: "list" | "watch"): ReadStart {
  const version = search.get("resourceVersion") || undefined;
  const match = search.get("resourceVersionMatch") || undefined;
  const initial = search.get("sendInitialEvents") ?? undefined;
  const causes: StatusCause[] = [];
  const forbid = (field: string, why: string): void => {
    causes.push({ reason: "FieldValueForbidden", message: `Forbidden: ${why}`, field });
  };
  if (verb === "list") {
    if (match !== undefined && version === undefined) {
      forbid("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
    } else if (match !== undefined && match !== "Exact" && match !== "NotOlderThan") {
      causes.push(unsupported("resourceVersionMatch", match, ["Exact", "NotOlderThan", ""]));
    } else if (match === "Exact" && version === "0") {
      forbid("resourceVersionMatch", 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
    }
    if (initial !== undefined) forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
  } else if (initial === undefined) {
    if (match !== undefined) {
      forbid(
        "resourceVersionMatch",
        "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      );
    }
  } else if (match !== "NotOlderThan") {
    forbid("resourceVersionMatch", "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (match !== undefined) causes.push(unsupported("resourceVersionMatch", match, ["NotOlderThan"]));
  }
  if (causes.length > 0) throw invalidOptions("ListOptions", causes);
  if (version !== undefined && !/^\d+$/.test(version)) {
    throw badRequest(
      `Invalid value: ${JSON.stringify(version)}: strconv.ParseUint: parsing ${JSON.stringify(version)}: invalid syntax`,
    );
  }
  return { version, match, sendsInitialEvents: initial === undefined ? undefined : isTrue(initial) };
}

export function isTrue(value: string | null): boolean {
  return value === "true" || value === "1";
}

export function invalidOptions(kind: string, causes: readonly StatusCause[]): KubeError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const joined = texts.length === 1 ? texts.join() : `[${texts.join(", ")}]`;
  const details = { group: "meta.k8s.io", kind, causes };
  return new KubeError("Invalid", `${kind}.meta.k8s.io "" is invalid: ${joined}`, details);
}

function unsupported(field: string, value: unknown, supported: readonly string[]): StatusCause {
  const values = supported.map((each) => JSON.stringify(each)).join(", ");
  const message = `Unsupported value: ${JSON.stringify(value)}: supported values: ${values}`;
  return { reason: "FieldValueNotSupported", message, field };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
