// The operator: sleeps until an event comes, then makes the world as the object says. For each ConfigMap with a `name`
// there is to be one called <its name>-greeting with the greeting. Told the same thing twice, it does nothing new.
import { createServer } from "node:http";
import { call } from "./api.mjs";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

async function reconcile(type, { metadata, data }) {
  const name = `${metadata.name}-greeting`;
  if (type.endsWith(".deleted")) return await remove(name);
  const wanted = { greeting: `Hello ${data?.name ?? "whoever you are"}` };
  try {
    await call("POST", CONFIG_MAPS, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name },
      data: wanted,
    });
  } catch (error) {
    if (error.status !== 409) throw error; // else it is there already
    await call("PATCH", `${CONFIG_MAPS}/${name}`, { data: wanted });
  }
}

async function remove(name) {
  try {
    await call("DELETE", `${CONFIG_MAPS}/${name}`);
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return JSON.parse(text);
}

const server = createServer(async (request, response) => {
  try {
    const type = String(request.headers["ce-type"] ?? "");
    if (type !== "") await reconcile(type, await body(request));
    response.writeHead(204).end();
  } catch (error) {
    // Anything but 2xx, and the source tells it again.
    console.log(String(error));
    response.writeHead(500).end();
  }
});
server.listen(Number(process.env.PORT), () => console.log("awake"));
process.once("SIGTERM", () => server.close());
