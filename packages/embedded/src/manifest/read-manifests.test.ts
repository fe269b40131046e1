import { rouse } from "@rouse/shared";
import { describe, expect, test } from "vitest";
import { manifestErrorText } from "./manifest.ts";
import { readManifests } from "./read-manifests.ts";

const file = (text: string, path = "service.yaml") => ({ path, directory: "/srv/hello", text });

/** A whole Service with `lines` as its one container, from line 8 on, indented by 8. */
const service = (...lines: readonly string[]) =>
  [
    "apiVersion: serving.knative.dev/v1",
    "kind: Service",
    "metadata:",
    "  name: hello",
    "spec:",
    "  template:",
    "    spec:",
    "      containers:",
    ...lines.map((line) => `        ${line}`),
  ].join("\n");

const problems = (text: string, path?: string): string[] =>
  readManifests([file(text, path)]).errors.map(manifestErrorText);

describe("a sound manifest", () => {
  test("gives its object, with a namespace and the directory its program starts in", () => {
    const { objects, errors } = readManifests([file(service("- command: [node, server.mjs]"))]);
    expect(errors).toEqual([]);
    expect(objects).toHaveLength(1);
    expect(objects[0]).toMatchObject({
      file: "service.yaml",
      line: 1,
      column: 1,
      kind: { kind: "Service", group: "serving.knative.dev" },
      object: {
        metadata: { name: "hello", namespace: "default" },
        spec: { template: { metadata: { annotations: { [rouse.directory]: "/srv/hello" } } } },
      },
    });
  });

  test("is not given what the API defaults: what was written is what is applied", () => {
    const { objects } = readManifests([file(service("- command: [node]"))]);
    expect(JSON.stringify(objects[0]?.object)).not.toContain("timeoutSeconds");
  });

  test("keeps a directory and a namespace of its own", () => {
    const text = `
apiVersion: serving.knative.dev/v1
kind: Configuration
metadata: { name: a, namespace: mine }
spec:
  template:
    metadata: { annotations: { rouse.dev/directory: /elsewhere } }
    spec: { containers: [{ image: x }] }
`;
    const { objects } = readManifests([file(text)], { namespace: "other" });
    expect(objects[0]?.object).toMatchObject({
      metadata: { namespace: "mine" },
      spec: { template: { metadata: { annotations: { [rouse.directory]: "/elsewhere" } } } },
    });
  });

  test("may hold several documents, empty ones among them, and JSON", () => {
    const configMap = (name: string) =>
      `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "${name}"}}`;
    const yaml = `---\n---\n${configMap("a")}\n---\n# nothing\n---\n${configMap("b")}\n`;
    const json = configMap("c").replaceAll(" ", "\n\t");
    const { objects, errors } = readManifests([file(yaml), file(json, "c.json")]);
    expect(errors).toEqual([]);
    expect(objects.map(({ object, file: from, line }) => [object.metadata.name, from, line])).toEqual([
      ["a", "service.yaml", 3],
      ["b", "service.yaml", 7],
      ["c", "c.json", 1],
    ]);
  });

  test("of a kind without namespaces gets none", () => {
    const { objects } = readManifests([file("apiVersion: v1\nkind: Namespace\nmetadata: { name: mine }\n")]);
    expect(objects[0]?.object.metadata).toEqual({ name: "mine" });
  });

  test("may use anchors and merge keys", () => {
    const text = `
apiVersion: v1
kind: ConfigMap
metadata: &meta { name: a, labels: &labels { x: "1" } }
data: { <<: *labels, y: "2" }
`;
    const { objects, errors } = readManifests([file(text)]);
    expect(errors).toEqual([]);
    expect(objects[0]?.object).toMatchObject({ data: { x: "1", y: "2" } });
  });
});

describe("a wrong manifest is reported with file, line, column, path and what was expected", () => {
  test.each<{ why: string; text: string; want: string[] }>([
    {
      why: "a misspelt field",
      text: service("- image: x", "  comand: [node]"),
      want: [
        'service.yaml:10:11: spec.template.spec.containers[0].comand: unknown field "comand"; did you mean "command"?',
      ],
    },
    {
      why: "a string for a list",
      text: service("- image: x", "  command: node server.js"),
      want: [
        'service.yaml:10:20: spec.template.spec.containers[0].command: expected a list of strings, got the string "node server.js"; for example ["node", "server.js"]',
      ],
    },
    {
      why: "a number for a string",
      text: service("- image: x", "  env:", "    - name: A", "      value: 80"),
      want: [
        'service.yaml:12:22: spec.template.spec.containers[0].env[0].value: expected a string, got the number 80; put it in quotes: "80"',
      ],
    },
    {
      why: "a string for a number",
      text: service("- image: x", '  ports: [{ containerPort: "8080" }]'),
      want: [
        'service.yaml:10:36: spec.template.spec.containers[0].ports[0].containerPort: expected a whole number, got the string "8080"; leave out the quotes',
      ],
    },
    {
      why: "a variable that is there twice",
      text: service("- image: x", "  env:", "    - { name: A, value: a }", "    - { name: A, value: b }"),
      want: [
        'service.yaml:12:23: spec.template.spec.containers[0].env[1].name: the string "A" is there twice: spec.template.spec.containers[0].env[0].name has it already',
      ],
    },
    {
      why: "no containers",
      text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: a\nspec:\n  template:\n    spec: {}\n",
      want: ["service.yaml:7:5: spec.template.spec.containers: missing: expected a list of containers"],
    },
    {
      why: "nothing to run",
      text: service("- name: x"),
      want: [
        "service.yaml:9:11: spec.template.spec.containers[0].image: missing field(s) (or say which program to run: a command, or the annotation rouse.dev/command)",
      ],
    },
    {
      why: "a tab",
      text: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: a\n",
      want: ["service.yaml:4:1: a tab is used to indent; YAML wants spaces"],
    },
    {
      why: "a key that is there twice",
      text: "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\ndata:\n  k: a\n  k: b\n",
      want: ["service.yaml:6:3: this key is there twice"],
    },
    {
      why: "an unknown kind that is nearly one",
      text: "apiVersion: apps/v1\nkind: Deploymnt\nmetadata: { name: a }\n",
      want: ['service.yaml:2:7: kind: unknown kind "Deploymnt"; did you mean "Deployment"?'],
    },
    {
      why: "an unknown kind",
      text: "apiVersion: serving.knative.dev/v1\nkind: Function\nmetadata: { name: a }\n",
      want: [
        'service.yaml:2:7: kind: unknown kind "Function": expected one of Service, Configuration, Revision, Route',
      ],
    },
    {
      why: "another version",
      text: "apiVersion: serving.knative.dev/v1beta1\nkind: Route\nmetadata: { name: a }\n",
      want: [
        'service.yaml:1:13: apiVersion: no Route in "serving.knative.dev/v1beta1": expected "serving.knative.dev/v1"',
      ],
    },
    {
      why: "neither apiVersion nor kind",
      text: "metadata: { name: a }\n",
      want: [
        "service.yaml:1:1: apiVersion: missing: expected a string",
        "service.yaml:1:1: kind: missing: expected a string",
      ],
    },
    {
      why: "a list",
      text: "- a\n- b\n",
      want: ["service.yaml:1:1: expected an object with apiVersion, kind and metadata, got a list"],
    },
    {
      why: "nothing at all",
      text: "# only a comment\n",
      want: ["service.yaml:1:1: nothing in it: expected an object with apiVersion, kind and metadata"],
    },
    {
      why: "a name the API refuses",
      text: "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: 1hello\nspec:\n  template: { spec: { containers: [{ image: x }] } }\n",
      want: [
        "service.yaml:4:9: metadata.name: not a DNS 1035 label: a DNS-1035 label must consist of at most 63 lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      ],
    },
    {
      why: "no name",
      text: "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  labels: { a: b }\n",
      want: ["service.yaml:3:1: metadata.name: Required value: name or generateName is required"],
    },
    {
      why: "something admission refuses, at its place",
      text: service("- image: x", "  ports:", "    - containerPort: 8012").replace(
        "    spec:",
        '    metadata:\n      annotations:\n        autoscaling.knative.dev/min-scale: "-1"\n    spec:\n      timeoutSeconds: 601',
      ),
      want: [
        "service.yaml:9:44: spec.template.metadata.annotations.autoscaling.knative.dev/min-scale: expected 0 <= -1 <= 2147483647",
        "service.yaml:11:23: spec.template.spec.timeoutSeconds: expected 0 <= 601 <= 600",
        "service.yaml:15:30: spec.template.spec.containers[0].ports[0].containerPort: invalid value: 8012 (this port is reserved for the queue-proxy beside the container)",
      ],
    },
  ])("$why", ({ text, want }) => {
    expect(problems(text)).toEqual(want);
  });

  test("one bad document does not hide the others", () => {
    const text = `${service("- image: x")}\n---\nkind: ConfigMap\n---\n${service("- image: 1")}`;
    const { objects, errors } = readManifests([file(text)]);
    expect(objects.map(({ object }) => object.metadata.name)).toEqual(["hello"]);
    expect(errors.map(({ line, path }) => [line, path])).toEqual([
      [11, "apiVersion"],
      [21, "spec.template.spec.containers[0].image"],
    ]);
  });

  test("the same object twice names both places", () => {
    const text = service("- image: x");
    const { objects, errors } = readManifests([file(text, "a.yaml"), file(text, "b.yaml")]);
    expect(objects).toHaveLength(1);
    expect(errors.map(manifestErrorText)).toEqual([
      'b.yaml:1:1: metadata.name: Service "hello" is described twice: first at a.yaml:1:1',
    ]);
  });

  test("an alias bomb is an error, not a crash", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"];
    for (let level = 1; level < 12; level++) {
      const name = String.fromCharCode(97 + level);
      const before = String.fromCharCode(96 + level);
      lines.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${before}`).join(", ")}]`);
    }
    expect(problems(lines.join("\n"))).toEqual([
      "service.yaml:1:1: Excessive alias count indicates a resource exhaustion attack",
    ]);
  });

  test("JSON with a syntax error has a place as well", () => {
    const found = readManifests([file('{\n  "apiVersion": "v1",\n  "kind" "ConfigMap"\n}', "a.json")]).errors;
    expect(found[0]).toMatchObject({ file: "a.json", line: 3 });
  });

  test("a null member is as good as absent", () => {
    expect(problems(service("- image: x", "  command: null", "  env:"))).toEqual([]);
  });
});

test("a List gives its items, each known by its own place, and what is wrong with one is told there", () => {
  const text = `apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: a }
  - apiVersion: v1
    kind: ConfigMap
    metadata: { name: b }
    data: { k: 1 }
`;
  const { objects } = readManifests([file(text)]);
  expect(objects.map(({ object, line, column }) => [object.metadata.name, line, column])).toEqual([
    ["a", 4, 5],
  ]);
  expect(problems(text)).toEqual([
    expect.stringMatching(/^service\.yaml:10:\d+: data\.k: expected a string/),
  ]);
  expect(problems("apiVersion: v1\nkind: List\nitems: [1]")).toEqual([
    expect.stringContaining("got the number 1"),
  ]);
});

test("with a misspelt field everything else that is wrong is told at once, in the order of the file", () => {
  const text = service("- comand: [node]", "  env: [{ name: PORT, value: x }]").replace(
    "      containers:",
    "      timeoutSeconds: 900\n      containers:",
  );
  expect(problems(text)).toEqual([
    "service.yaml:8:23: spec.template.spec.timeoutSeconds: expected 0 <= 900 <= 600",
    'service.yaml:10:11: spec.template.spec.containers[0].comand: unknown field "comand"; did you mean "command"?',
    expect.stringContaining('"PORT" is a reserved environment variable'),
  ]);
});
