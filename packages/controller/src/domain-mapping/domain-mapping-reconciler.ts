import {
  type ClusterDomainClaim,
  ClusterDomainClaimKind,
  type DomainMapping,
  DomainMappingKind,
  done,
  type Ingress,
  IngressKind,
  isKubeError,
  type KubeClient,
  type Lister,
  type ObjectKey,
  objectKey,
  type Pass,
  type Reconciler,
  type Stored,
  semanticEqual,
  writeStatus,
} from "@rouse/shared";
import { createChild, NotOwnedError, requireOwned, WaitingError } from "../pass/ownership.ts";
import { changeOf, isObserved, readyCondition } from "../pass/readiness.ts";
import { type StatusDraft, type StatusPassDeps, statusPass } from "../pass/status-pass.ts";
import type { LiveSettings } from "../settings/live-settings.ts";
import { makeDomainIngress } from "./domain-ingress.ts";
import { ResolveError, resolveTarget, type TargetListers } from "./resolve-target.ts";

export interface DomainMappingOptions {
  /** C-74. */
  readonly clusterDomain: string;
  /** Port of the public entry point, put into URLs unless it is the scheme's own. Design §9. */
  readonly externalPort: number | undefined;
}

export interface DomainMappingDeps extends StatusPassDeps, TargetListers {
  readonly client: KubeClient;
  readonly settings: Pick<LiveSettings, "current">;
  readonly domainMappings: Lister<DomainMapping>;
  readonly clusterDomainClaims: Lister<ClusterDomainClaim>;
  readonly ingresses: Lister<Ingress>;
}

type MappingStatus = NonNullable<DomainMapping["status"]>;
type Draft = StatusDraft<MappingStatus>;

/** C-12. */
const FINALIZER = "domainmappings.serving.knative.dev";
const DOMAIN_CLAIMED = "DomainClaimed";
const REFERENCE_RESOLVED = "ReferenceResolved";
const INGRESS_READY = "IngressReady";
const CERTIFICATE_PROVISIONED = "CertificateProvisioned";

/** Leads a domain, the mapping's name, to what the mapping refers to. C-128…C-131. */
export class DomainMappingReconciler implements Reconciler {
  readonly name = "domainmapping-controller";
  readonly #deps: DomainMappingDeps;
  readonly #options: DomainMappingOptions;

  constructor(deps: DomainMappingDeps, options: DomainMappingOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async reconcile(key: ObjectKey): Promise<Pass> {
    const mapping = this.#deps.domainMappings.get(key);
    if (mapping === undefined) return done;
    if (mapping.metadata.deletionTimestamp !== undefined) {
      await this.#release(mapping);
      return done;
    }
    await this.#setFinalizer(mapping, "added");
    return await statusPass<MappingStatus>(this.#deps, {
      component: this.name,
      object: mapping,
      before: mapping.status ?? {},
      dependents: [DOMAIN_CLAIMED, REFERENCE_RESOLVED, INGRESS_READY, CERTIFICATE_PROVISIONED],
      run: (draft) => this.#run(mapping, draft),
      write: (status) => writeStatus(this.#deps.client, DomainMappingKind, mapping, status),
    });
  }

  async #run(mapping: Stored<DomainMapping>, draft: Draft): Promise<Pass> {
    if (!isObserved(mapping)) {
      draft.conditions.set(INGRESS_READY, { status: "Unknown", reason: "IngressNotConfigured" });
    }
    const url = this.#url(mapping);
    draft.fields = { ...draft.fields, url, address: { url } };
    await this.#claim(mapping, draft);
    draft.conditions.set(
      CERTIFICATE_PROVISIONED,
      mapping.spec.tls === undefined
        ? { status: "True", reason: "TLSNotEnabled", message: "autoTLS is not enabled" }
        : { status: "True", reason: "CertificateExternallyProvided", message: "the mapping names a Secret" },
    );
    const target = this.#resolve(mapping, draft);
    const { ingressClass, httpOption } = this.#deps.settings.current.network;
    const wanted = makeDomainIngress(mapping, target, { ingressClass, httpOption });
    const ingress = await this.#bringIngress(mapping, wanted, draft);
    const ready = readyCondition(ingress);
    draft.conditions.set(
      INGRESS_READY,
      isObserved(ingress) && ready !== undefined
        ? changeOf(ready)
        : { status: "Unknown", reason: "IngressNotConfigured" },
    );
    return done;
  }

  #url({ metadata, spec }: Stored<DomainMapping>): string {
    const { externalPort } = this.#options;
    const scheme =
      spec.tls === undefined ? this.#deps.settings.current.network.defaultExternalScheme : "https";
    const isShown = externalPort !== undefined && externalPort !== 80 && scheme === "http";
    return `${scheme}://${metadata.name}${isShown ? `:${externalPort}` : ""}`;
  }

  /** A domain belongs to one namespace. C-128 step 3 */
  async #claim(mapping: Stored<DomainMapping>, draft: Draft): Promise<void> {
    const { name, namespace } = mapping.metadata;
    const present = this.#claimOf(name);
    if (present?.spec.namespace === namespace) {
      draft.conditions.set(DOMAIN_CLAIMED, { status: "True" });
      return;
    }
    const refuse = (message: string): never => {
      draft.conditions.set(DOMAIN_CLAIMED, { status: "False", reason: "DomainAlreadyClaimed", message });
      throw new WaitingError(message);
    };
    if (present !== undefined) refuse(`namespace ${present.spec.namespace} owns the domain ${name}`);
    if (!this.#deps.settings.current.network.autocreatesDomainClaims) {
      refuse(`no ClusterDomainClaim ${name}, and none is to be created by itself`);
    }
    try {
      await this.#deps.client.create(ClusterDomainClaimKind, {
        apiVersion: "networking.internal.knative.dev/v1alpha1",
        kind: "ClusterDomainClaim",
        metadata: { name },
        spec: { namespace },
      });
    } catch (error) {
      if (!isKubeError(error, "AlreadyExists")) throw error;
      throw new WaitingError(`ClusterDomainClaim ${name} is not in the cache yet`);
    }
    draft.conditions.set(DOMAIN_CLAIMED, { status: "True" });
  }

  #resolve(mapping: Stored<DomainMapping>, draft: Draft): ReturnType<typeof resolveTarget> {
    try {
      const target = resolveTarget(mapping, this.#deps, this.#options.clusterDomain);
      draft.conditions.set(REFERENCE_RESOLVED, { status: "True" });
      return target;
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error;
      const { message } = error;
      draft.conditions.set(REFERENCE_RESOLVED, { status: "False", reason: "ResolveFailed", message });
      throw new WaitingError(message);
    }
  }

  async #bringIngress(
    mapping: Stored<DomainMapping>,
    wanted: Ingress,
    draft: Draft,
  ): Promise<Stored<Ingress>> {
    const { client, events, ingresses } = this.#deps;
    const { namespace } = mapping.metadata;
    const { name } = wanted.metadata;
    const present = ingresses.get(objectKey({ namespace, name }));
    try {
      if (present === undefined) {
        const { object, isNew } = await createChild(client, IngressKind, wanted, mapping);
        const message = `Created Ingress ${JSON.stringify(name)}`;
        if (isNew) events.record(this.name, mapping, { type: "Normal", reason: "Created", message });
        return object;
      }
      requireOwned(present, mapping);
    } catch (error) {
      if (error instanceof NotOwnedError) {
        const { message } = error;
        draft.conditions.set(INGRESS_READY, { status: "False", reason: "NotOwned", message });
      }
      throw error;
    }
    const { labels = {}, annotations = {} } = wanted.metadata;
    const isSame =
      semanticEqual(present.spec, wanted.spec) &&
      semanticEqual(present.metadata.labels, labels) &&
      semanticEqual(present.metadata.annotations, annotations);
    if (isSame) return present;
    const metadata = { ...present.metadata, labels, annotations };
    return await client.update(IngressKind, { ...present, metadata, spec: wanted.spec });
  }

  /** C-131: a claim that was made for the mapping goes with it. */
  async #release(mapping: Stored<DomainMapping>): Promise<void> {
    const { name, namespace } = mapping.metadata;
    const claim = this.#claimOf(name);
    const isOurs = this.#deps.settings.current.network.autocreatesDomainClaims;
    if (isOurs && claim?.spec.namespace === namespace) {
      try {
        await this.#deps.client.delete(
          ClusterDomainClaimKind,
          { namespace: "", name },
          { uid: claim.metadata.uid },
        );
      } catch (error) {
        if (!isKubeError(error, "NotFound")) throw error;
      }
    }
    await this.#setFinalizer(mapping, "removed");
  }

  #claimOf(name: string): Stored<ClusterDomainClaim> | undefined {
    return this.#deps.clusterDomainClaims.get(objectKey({ namespace: "", name }));
  }

  /** C-12. */
  async #setFinalizer(mapping: Stored<DomainMapping>, wanted: "added" | "removed"): Promise<void> {
    const present = mapping.metadata.finalizers ?? [];
    if (present.includes(FINALIZER) === (wanted === "added")) return;
    const { namespace, name, resourceVersion } = mapping.metadata;
    const finalizers =
      wanted === "added" ? [...present, FINALIZER] : present.filter((one) => one !== FINALIZER);
    try {
      await this.#deps.client.patch(
        DomainMappingKind,
        { namespace, name },
        { kind: "merge", body: { metadata: { finalizers, resourceVersion } } },
      );
    } catch (error) {
      if (!isKubeError(error, "NotFound")) throw error;
    }
  }
}

/** Whether a mapping is led somewhere by an object of this kind and name. */
export function refersTo(
  mapping: Stored<DomainMapping>,
  object: { readonly namespace: string; readonly name: string },
): boolean {
  return mapping.metadata.namespace === object.namespace && mapping.spec.ref.name === object.name;
}
