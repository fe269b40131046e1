import {
  type AnyObject,
  apiVersion,
  isKubeError,
  type JsonMap,
  KubeError,
  type ManagedFields,
  type ObjectAdmission,
  type ObjectStore,
  type StoredObject,
} from "@rouse/shared";
import type { FieldManagers } from "../apply/field-managers.ts";
import type { Writer } from "../apply/ownership.ts";
import { type Answer, type Headers, json } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import { checkUnchanged, inNamespace, named, patchedObject, withStatusOf } from "./body-agreement.ts";
import { checkCustomTypes } from "./custom-shape.ts";
import { toNewEvent } from "./event-view.ts";
import { applyPatchBody, isApplyPatch, readPatch } from "./patch-body.ts";
import type { Presenter } from "./present.ts";
import { type Body, readApplied, shapeObject } from "./read-body.ts";
import { readWriteOptions, type WriteRequestOptions } from "./request-options.ts";
import type { ObjectTarget } from "./request-target.ts";
import { scaled, scaleOf } from "./scale.ts";
import { patchWarnings, warnings } from "./warnings.ts";
import type { WriteRequest } from "./write-verbs.ts";

export interface PatchVerbsDeps {
  readonly store: ObjectStore;
  readonly presenter: Presenter;
  readonly managers: FieldManagers;
  /** Defaults and checks of the compiled-in kinds. */
  readonly admission: ObjectAdmission;
}

/** The four kinds of patch. P-51…P-54 */
export class PatchVerbs {
  readonly #deps: PatchVerbsDeps;

  constructor(deps: PatchVerbsDeps) {
    this.#deps = deps;
  }

  async handle(target: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const body = await request.body();
    if (isApplyPatch(body) && canBeApplied(target)) return this.#apply(target, request, body);
    return this.#patch(target, request, body);
  }

  #patch(target: ObjectTarget, request: WriteRequest, body: Body): Answer {
    const { resource, namespace, name, subresource } = target;
    const { store, managers, presenter, admission } = this.#deps;
    const patch = readPatch(resource, body);
    const options = readWriteOptions("PatchOptions", request.search);
    const write = { isDryRun: options.isDryRun, admission };
    const kind = resource.storedAs;
    if (subresource === "scale") {
      const change = (before: StoredObject): AnyObject =>
        scaled(kind, before, applyPatchBody(patch, { message: "Scale", document: scaleOf(before) }));
      return json(scaleOf(store.modify(kind, { namespace, name }, change, write)));
    }
    let headers: Headers = {};
    let sent: AnyObject | undefined;
    const change = (before: StoredObject): AnyObject => {
      const viewed = resource.storedAs === resource.kind ? before : toNewEvent(before);
      const patched = applyPatchBody(patch, { message: resource.message, document: { ...viewed } });
      const object = patchedObject(resource, { ...viewed, metadata: before.metadata }, patched);
      sent = object.metadata.managedFields === before.metadata.managedFields ? undefined : object;
      // Of a status patch everything else is ignored, also what would not do (P-70).
      const taken =
        subresource === "status" ? { ...viewed, metadata: object.metadata, status: object.status } : object;
      const shaped = shapeObject(resource, taken);
      headers = patchWarnings(resource, { read: shaped, patched }, options);
      const next = subresource === "status" ? shaped.object : withStatusOf(resource, shaped.object, before);
      checkCustomTypes(resource.kind, next);
      return next;
    };
    const part = statusOf(subresource);
    const writer = managers.writer({ ...options, userAgent: request.userAgent }, part.subresource);
    const stored = store.modify(kind, { namespace, name }, change, {
      ...write,
      ...part,
      ...managers.onUpdate(resource, writer, () => sent),
    });
    return json(presenter.object(resource, stored), { headers });
  }

  /** Server-side apply. An object that is not there is made. */
  #apply(target: ObjectTarget, request: WriteRequest, body: Body): Answer {
    const { resource, namespace, name, subresource } = target;
    const { store, managers, presenter } = this.#deps;
    const options = readWriteOptions("PatchOptions", request.search, { isApply: true });
    const read = readApplied(resource, body);
    const headers = warnings(resource, read, options);
    const config = inNamespace(resource.kind, named(read.object, name), namespace);
    const part = statusOf(subresource);
    const apply = new Apply(this.#deps, resource, {
      config,
      options,
      writer: managers.writer(options, part.subresource),
    });
    try {
      const stored = store.modify(resource.kind, { namespace, name }, (live) => apply.to(live), {
        ...apply.write,
        ...part,
      });
      return json(presenter.object(resource, stored), { headers });
    } catch (error) {
      const isNew =
        isKubeError(error, "NotFound") && error.details?.name === name && subresource === undefined;
      if (!isNew) throw error;
    }
    if (config.metadata.uid !== undefined || config.metadata.resourceVersion !== undefined) {
      const why =
        "uid mismatch: the provided object specified uid or resourceVersion, and no existing object was found";
      throw new KubeError(
        "Conflict",
        `Operation cannot be fulfilled on ${resource.kind.plural} "${name}": ${why}`,
      );
    }
    const stored = store.create(resource.kind, apply.to(apply.empty), apply.write);
    return json(presenter.object(resource, stored), { status: 201, headers });
  }
}

/** One apply, to an object that may change before it is stored. */
class Apply {
  readonly #deps: PatchVerbsDeps;
  readonly #resource: ApiResource;
  readonly #config: AnyObject;
  readonly #options: WriteRequestOptions;
  readonly #writer: Writer;
  #managedFields: readonly ManagedFields[] | undefined;

  constructor(
    deps: PatchVerbsDeps,
    resource: ApiResource,
    of: { readonly config: AnyObject; readonly options: WriteRequestOptions; readonly writer: Writer },
  ) {
    this.#deps = deps;
    this.#resource = resource;
    this.#config = of.config;
    this.#options = of.options;
    this.#writer = of.writer;
  }

  get write() {
    return {
      isDryRun: this.#options.isDryRun,
      admission: this.#deps.admission,
      managedFields: () => this.#managedFields,
    };
  }

  /** What there is of an object that is still to be made. */
  get empty(): AnyObject {
    const { name, namespace } = this.#config.metadata;
    const { kind } = this.#resource;
    return {
      apiVersion: apiVersion(kind),
      kind: kind.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    };
  }

  to(live: AnyObject): AnyObject {
    const resource = this.#resource;
    checkUnchanged(resource.kind, live, this.#config.metadata);
    const config: JsonMap = { ...this.#config };
    const shape = (object: AnyObject): AnyObject => shapeObject(resource, object).object;
    const writer = { ...this.#writer, isForced: this.#options.isForced };
    const { object, managedFields } = this.#deps.managers
      .of(resource)
      .applied({ live, config, shape }, writer);
    checkCustomTypes(resource.kind, object);
    this.#managedFields = managedFields;
    return object;
  }
}

function canBeApplied({ resource, subresource }: ObjectTarget): boolean {
  return (subresource === undefined || subresource === "status") && resource.storedAs === resource.kind;
}

function statusOf(subresource: string | undefined): { readonly subresource: "status" | undefined } {
  return { subresource: subresource === "status" ? "status" : undefined };
}
