import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  type V1ConfigMap,
} from "@kubernetes/client-node";
import { expect, onTestFinished, test } from "vitest";
import { serveApi } from "./support/serve-api.ts";

/** The official client library for JavaScript, as somebody else's idea of how the API works. */
async function setUp() {
  const served = await serveApi();
  onTestFinished(() => served[Symbol.asyncDispose]());
  const { store, url, token, ca } = served;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "rouse", server: url, caData: Buffer.from(ca).toString("base64"), skipTLSVerify: false },
    { name: "rouse", token },
  );
  return {
    store,
    config,
    core: config.makeApiClient(CoreV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
  };
}

const namespace = "default";

test("an informer of the official client hears of every change in order, and its list is the store's (P-110, P-140)", async () => {
  const { config, core } = await setUp();
  await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: "before" } } });
  const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
    core.listNamespacedConfigMap({ namespace }),
  );
  onTestFinished(() => informer.stop());
  const heard: string[] = [];
  const deleted = Promise.withResolvers<void>();
  for (const verb of ["add", "update", "delete"] as const) {
    informer.on(verb, (object) => {
      heard.push(`${verb} ${object.metadata?.name} ${object.data?.x ?? "-"}`);
      if (verb === "delete") deleted.resolve();
    });
  }
  informer.on("error", (error) => deleted.reject(error));
  await informer.start();
  const created = await core.createNamespacedConfigMap({
    namespace,
    body: { metadata: { name: "a" }, data: { x: "1" } },
  });
  await core.replaceNamespacedConfigMap({ namespace, name: "a", body: { ...created, data: { x: "2" } } });
  await core.deleteNamespacedConfigMap({ namespace, name: "a" });
  await deleted.promise;
  expect(heard).toEqual(["add before -", "add a 1", "update a 2", "delete a 2"]);
  expect(informer.list().map(({ metadata }) => metadata?.name)).toEqual(["before"]);
});

test("custom resources are created, read and deleted by the official client (P-11, P-50)", async () => {
  const { custom } = await setUp();
  const place = { group: "serving.knative.dev", version: "v1", namespace, plural: "services" };
  const body = {
    apiVersion: "serving.knative.dev/v1",
    kind: "Service",
    metadata: { name: "hello" },
    spec: { template: { spec: { containers: [{ image: "example.com/hello:1" }] } } },
  };
  await custom.createNamespacedCustomObject({ ...place, body });
  const list: { items: { metadata: { name: string } }[] } = await custom.listNamespacedCustomObject(place);
  expect(list.items.map(({ metadata }) => metadata.name)).toEqual(["hello"]);
  await custom.deleteNamespacedCustomObject({ ...place, name: "hello" });
  await expect(custom.getNamespacedCustomObject({ ...place, name: "hello" })).rejects.toMatchObject({
    code: 404,
  });
});
