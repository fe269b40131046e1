import type { Clock, ObjectAdmission, ObjectStore, Random, StoredObject } from "@rouse/shared";
import { FieldManagers } from "../apply/field-managers.ts";
import { type Answer, json, methodNotAllowed } from "./answer.ts";
import type { ApiResource } from "./api-resource.ts";
import { checkNames, inNamespace, named } from "./body-agreement.ts";
import { checkCustomTypes } from "./custom-shape.ts";
import { DeleteVerbs } from "./delete-verbs.ts";
import { PatchVerbs } from "./patch-verbs.ts";
import type { Presented, Presenter } from "./present.ts";
import { type Body, readAny, readObject } from "./read-body.ts";
import { readWriteOptions } from "./request-options.ts";
import type { CollectionTarget, ObjectTarget } from "./request-target.ts";
import { scaled, scaleOf } from "./scale.ts";
import { answerTokenRequest } from "./service-account-token.ts";
import { warnings } from "./warnings.ts";

export interface WriteVerbsDeps {
  readonly store: ObjectStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly presenter: Presenter;
  /** Defaults and checks of the compiled-in kinds. */
  readonly admission: ObjectAdmission;
}

export interface WriteRequest {
  readonly method: string;
  readonly userAgent: string | undefined;
  readonly search: URLSearchParams;
  readonly body: () => Promise<Body>;
}

/** create, replace, patch, delete, and what their subresources do instead. */
export class WriteVerbs {
  readonly #deps: WriteVerbsDeps;
  readonly #managers: FieldManagers;
  readonly #patches: PatchVerbs;
  readonly #deletes: DeleteVerbs;

  constructor(deps: WriteVerbsDeps) {
    this.#deps = deps;
    this.#managers = new FieldManagers(deps.clock);
    this.#patches = new PatchVerbs({ ...deps, managers: this.#managers });
    this.#deletes = new DeleteVerbs(deps);
  }

  async handle(target: ObjectTarget | CollectionTarget, request: WriteRequest): Promise<Answer> {
    const isCollection = target.kind === "collection";
    const verb = verbOf(request.method, isCollection);
    if (verb === undefined || target.isWatch) throw methodNotAllowed();
    if (target.kind === "collection") {
      if (!target.resource.verbs.includes(verb)) throw methodNotAllowed();
      return verb === "create" ? this.#create(target, request) : this.#deletes.collection(target, request);
    }
    const { subresource } = target;
    if (subresource === "token") {
      if (request.method !== "POST") throw methodNotAllowed();
      return answerTokenRequest(this.#deps, target, await request.body());
    }
    if (request.method === "POST" || subresource === "log") throw methodNotAllowed();
    if (!target.resource.verbs.includes(verb)) throw methodNotAllowed();
    switch (verb) {
      case "update":
        return this.#update(target, request);
      case "patch":
        if (subresource === "finalize") throw methodNotAllowed();
        return this.#patches.handle(target, request);
      default:
        if (subresource !== undefined) throw methodNotAllowed();
        return this.#deletes.one(target, request);
    }
  }

  async #create({ resource, namespace }: CollectionTarget, request: WriteRequest): Promise<Answer> {
    const options = readWriteOptions("CreateOptions", request.search);
    const read = readObject(resource, await request.body());
    const headers = warnings(resource, read, options);
    const object = inNamespace(resource.kind, read.object, namespace ?? "");
    checkCustomTypes(resource.kind, object);
    const { isDryRun } = options;
    const writer = this.#managers.writer({ ...options, userAgent: request.userAgent }, undefined);
    const stored = this.#deps.store.create(resource.storedAs, object, {
      isDryRun,
      admission: this.#deps.admission,
      ...this.#managers.onUpdate(resource, writer, () => undefined),
    });
    return json(this.#present(resource, stored), { status: 201, headers });
  }

  async #update(target: ObjectTarget, request: WriteRequest): Promise<Answer> {
    const { resource, namespace, name, subresource } = target;
    const options = readWriteOptions("UpdateOptions", request.search);
    const { isDryRun } = options;
    const write = { isDryRun, admission: this.#deps.admission };
    const { store } = this.#deps;
    if (subresource === "scale") {
      const scale = readAny("Scale", await request.body());
      checkNames({ name, namespace }, scale);
      const kind = resource.storedAs;
      return json(
        scaleOf(store.modify(kind, { namespace, name }, (before) => scaled(kind, before, scale), write)),
      );
    }
    const read = readObject(resource, await request.body());
    const headers = warnings(resource, read, options);
    const object = inNamespace(resource.kind, named(read.object, name), namespace);
    checkCustomTypes(resource.kind, object);
    const part = subresource === "status" ? subresource : undefined;
    const writer = this.#managers.writer({ ...options, userAgent: request.userAgent }, part);
    const owned = this.#managers.onUpdate(resource, writer, () => object);
    const stored =
      subresource === "finalize"
        ? store.modify(
            resource.storedAs,
            { namespace, name },
            (before) => ({ ...before, spec: object.spec }),
            write,
          )
        : store.update(resource.storedAs, object, part, { ...write, ...owned });
    return json(this.#present(resource, stored), { headers });
  }

  #present(resource: ApiResource, stored: StoredObject): Presented {
    return this.#deps.presenter.object(resource, stored);
  }
}

function verbOf(method: string, isCollection: boolean): string | undefined {
  switch (method) {
    case "POST":
      return "create";
    case "PUT":
      return isCollection ? undefined : "update";
    case "PATCH":
      return isCollection ? undefined : "patch";
    case "DELETE":
      return isCollection ? "deletecollection" : "delete";
    default:
      return undefined;
  }
}
