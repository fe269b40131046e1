import { request } from "node:https";
import {
  applyJsonPatch,
  Informer,
  type InformerDeps,
  isJsonMap,
  type KubeClient,
  KubeError,
  type KubeObject,
  MutatingWebhookConfigurationKind,
  PodKind,
  rouse,
  type Stored,
  type WebhookConfiguration,
} from "@rouse/shared";

/** Who answers behind the webhook's Service. */
export type Backends = readonly { readonly ip: string; readonly port: number }[];

/**
 * The API as one that asks webhooks has it: a pod that is created with the label goes to the one of the mutating
 * configuration first, over TLS, trusting no other authority than the one written there.
 */
export async function admitting(deps: InformerDeps, backends: Backends): Promise<KubeClient> {
  const { client } = deps;
  const configurations = new Informer<WebhookConfiguration>(deps, MutatingWebhookConfigurationKind);
  await configurations.start();
  const admitted = async <T extends KubeObject>(object: T): Promise<T> => {
    if (object.metadata.labels?.[rouse.inject] !== "true") return object;
    return asked(object, bundleOf([...configurations.list()]), backends);
  };
  return {
    create: async (kind, object) =>
      client.create(kind, kind.kind === PodKind.kind ? await admitted(object) : object),
    get: (kind, ref) => client.get(kind, ref),
    list: (kind, query) => client.list(kind, query),
    watch: (kind, query, sink) => client.watch(kind, query, sink),
    update: (kind, object) => client.update(kind, object),
    updateStatus: (kind, object) => client.updateStatus(kind, object),
    patch: (kind, ref, patch, subresource) => client.patch(kind, ref, patch, subresource),
    delete: (kind, ref, options) => client.delete(kind, ref, options),
  };
}

function bundleOf(configurations: readonly Stored<WebhookConfiguration>[]): string {
  const bundle = configurations[0]?.webhooks?.[0]?.clientConfig.caBundle;
  if (bundle === undefined)
    throw new KubeError("InternalError", "failed calling webhook: it has no bundle yet");
  return Buffer.from(bundle, "base64").toString("utf8");
}

/** From the first that answers, as a Service of them would. */
async function asked<T extends KubeObject>(object: T, ca: string, backends: Backends): Promise<T> {
  let last: unknown;
  for (const backend of backends) {
    try {
      const review = await ask(object, ca, backend);
      const response = isJsonMap(review) && isJsonMap(review.response) ? review.response : {};
      if (response.allowed !== true)
        throw new KubeError("Invalid", `refused: ${JSON.stringify(response.status)}`);
      if (typeof response.patch !== "string") return object;
      const operations = JSON.parse(Buffer.from(response.patch, "base64").toString("utf8"));
      return Object.assign(structuredClone(object), applyJsonPatch(object, operations));
    } catch (error) {
      if (error instanceof KubeError) throw error;
      last = error;
    }
  }
  throw new KubeError("InternalError", `failed calling webhook: ${String(last)}`);
}

function ask(object: KubeObject, ca: string, { ip, port }: Backends[number]): Promise<unknown> {
  const review = {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "one",
      kind: { group: "", version: "v1", kind: "Pod" },
      namespace: object.metadata.namespace,
      operation: "CREATE",
      object,
    },
  };
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: ip,
        port,
        method: "POST",
        path: "/inject",
        ca,
        servername: "rouse-webhook.knative-serving.svc",
        agent: false,
        headers: { "Content-Type": "application/json" },
      },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          try {
            resolve(JSON.parse(Buffer.concat(parts).toString("utf8")));
          } catch (error) {
            reject(error);
          }
        });
      },
    );
    call.on("error", reject);
    call.end(JSON.stringify(review));
  });
}
