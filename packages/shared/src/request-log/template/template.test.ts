import fc from "fast-check";
import { expect, test } from "vitest";
import { DEFAULT_REQUEST_LOG_TEMPLATE } from "../default-template.ts";
import { functionNames } from "./functions.ts";
import { Template, TemplateError } from "./template.ts";
import { GoFloat, GoMap, GoObject, type Value } from "./value.ts";

function data(text = 'it\'s <a> & "b" \\'): Value {
  const request = new GoObject(
    {
      Method: () => "GET",
      RequestURI: () => text,
      ContentLength: () => -1,
      RemoteAddr: () => "127.0.0.1:1",
      Proto: () => "HTTP/1.1",
      Header: () =>
        new GoMap(
          new Map([
            ["B", ["2"]],
            ["A", ["1", "x"]],
          ]),
        ),
    },
    { UserAgent: () => text, Referer: () => text },
  );
  const response = new GoObject({ Code: () => 200, Size: () => 12, Latency: () => new GoFloat(0.012345) });
  const revision = new GoObject({ PodIP: () => "10.0.0.1", Name: () => "" });
  return new GoObject({
    Request: () => request,
    Response: () => response,
    Revision: () => revision,
    TraceID: () => "",
  });
}

function run(template: string): string {
  return Template.parse(template).execute(data());
}

test.each([
  ["{{.Request.Method}} {{.Response.Code}}", "GET 200"],
  ["{{.Response.Latency}}s", "0.012345s"],
  ["{{.Request.Header}}", "map[A:[1 x] B:[2]]"],
  ['{{.Request.Header.Get "A"}}{{.Request.Header.Get "C"}}', "1"],
  ['{{index .Request.Header "A"}} {{index (index .Request.Header "A") 1}}', "[1 x] x"],
  ["{{if .Revision.Name}}a{{else if .Revision.PodIP}}b{{else}}c{{end}}", "b"],
  ["{{with .Revision.PodIP}}<{{.}}>{{else}}none{{end}}", "<10.0.0.1>"],
  ["{{range $key, $values := .Request.Header}}{{$key}}={{len $values}};{{end}}", "A=2;B=1;"],
  ["{{range .Revision.Name}}x{{else}}empty{{end}}", "fails"],
  ["a {{- 1 -}} b", "a1b"],
  ["a{{/* a comment */}}b", "ab"],
  ["a {{- /* trims */ -}} b", "ab"],
  [
    '{{printf "%05d|%-6s|%6.2f|%q|%x" .Response.Code .Request.Method .Response.Latency "a" 255}}',
    '00200|GET   |  0.01|"a"|ff',
  ],
  ['{{.Request.Method | printf "%s-%s" "x"}}', "x-GET"],
  ["{{eq .Response.Code 500 200}} {{ne 1 2}} {{lt 1 2}} {{ge .Response.Size 12}}", "true true true true"],
  ["{{and 1 0}} {{or 0 2}} {{not 1}}", "0 2 false"],
  ["{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"],
  ["{{`raw`}} {{'a'}} {{1e3}} {{0.00001}} {{1000000.5}}", "raw 97 1000 1e-05 1.0000005e+06"],
  ['{{urlquery "a b&c"}} {{html "<a>"}}', "a+b%26c &lt;a&gt;"],
  ["{{js .Request.RequestURI}}", 'it\\u0027s \\u003Ca\\u003E \\u0026 \\"b\\" \\\\'],
])("Q-148: %s", (template, want) => {
  if (want === "fails") expect(() => run(template)).toThrow(TemplateError);
  else expect(run(template)).toBe(want);
});

test.each([
  "{{}}",
  "{{",
  "{{if}}x{{end}}",
  "{{if .A}}x",
  "{{end}}",
  "{{.A | }}",
  "{{nothing .A}}",
  "{{$x}}",
  "{{(.A}}",
  '{{"a',
  "{{/* a",
  '{{1 "a"}}',
  '{{define "x"}}{{end}}',
  '{{template "x"}}',
  "{{range .A}}{{break}}{{end}}",
])("V-12, Q-149: %s is refused when it is read", (template) => {
  expect(() => Template.parse(template)).toThrow(TemplateError);
});

test("V-12: an unknown field is found when it is asked for", () => {
  const template = Template.parse("{{.Request.Something}}");
  expect(() => template.execute(data())).toThrow("can't evaluate field Something");
});

const anyText = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xd7ff), fc.integer({ min: 0xe000, max: 0x10ffff })), {
    maxLength: 20,
  })
  .map((points) => String.fromCodePoint(...points));

test("Q-147, Q-148: the default template writes JSON whatever clients send, apostrophes included (E-17)", () => {
  const template = Template.parse(DEFAULT_REQUEST_LOG_TEMPLATE);
  fc.assert(
    fc.property(anyText, (text) => {
      const line: unknown = JSON.parse(template.execute(data(text)));
      expect(line).toMatchObject({ httpRequest: { requestUrl: text, userAgent: text, status: 200 } });
    }),
  );
});

test("Q-148: fuzz: any text is a template or a complaint, and what runs comes to an end", () => {
  const piece = fc.constantFrom(
    ...[
      "{{",
      "}}",
      "{{-",
      "-}}",
      "if",
      "range",
      "end",
      "else",
      "with",
      " ",
      ".",
      ".Request",
      ".Header",
      "$x",
      ":=",
    ],
    ...["|", "(", ")", '"', "`", "/*", "*/", "1", "printf", "and", "index", "len", "eq", "js", "'", "text"],
  );
  const template = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(template, (text) => {
      try {
        expect(typeof Template.parse(text).execute(data())).toBe("string");
      } catch (error) {
        expect(error).toBeInstanceOf(TemplateError);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("Q-148: fuzz: any function of any values is a text or a complaint, within any block", () => {
  const value = fc.constantFrom(
    ...[
      ".",
      "$",
      "nil",
      "true",
      "-1",
      "0",
      "1e9",
      "'x'",
      '"%d %5.2f %q"',
      '"Host"',
      ".Response",
      ".Request.Header",
    ],
    ...[".Request.Method", ".Response.Latency", ".Revision.Name", ".Nothing", '(index .Request.Header "A")'],
  );
  const called = fc
    .tuple(fc.constantFrom(...functionNames), fc.array(value, { maxLength: 4 }))
    .map(([name, args]) => [name, ...args].join(" "));
  const pipeline = fc.array(called, { minLength: 1, maxLength: 3 }).map((calls) => calls.join(" | "));
  const block = fc
    .tuple(fc.constantFrom("if", "with", "range"), pipeline, pipeline)
    .map(([kind, of, inside]) => `{{${kind} ${of}}}{{${inside}}}{{else}}-{{end}}`);
  fc.assert(
    fc.property(
      fc.oneof(
        pipeline.map((one) => `{{${one}}}`),
        block,
      ),
      (text) => {
        try {
          expect(Template.parse(text).execute(data())).toBeTypeOf("string");
        } catch (error) {
          expect(error).toBeInstanceOf(TemplateError);
        }
      },
    ),
    { numRuns: 3_000 },
  );
});

test("Q-148: deep nesting is a complaint, and no overflow of the stack", () => {
  expect(() => Template.parse("{{if 1}}".repeat(10_000))).toThrow(TemplateError);
  expect(() => Template.parse(`{{${"(".repeat(10_000)}`)).toThrow(TemplateError);
});
