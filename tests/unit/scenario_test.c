/* SPDX-License-Identifier: MIT */
/* Tests of scenario.c and its files: each directive, right and wrong. */
#include "config.h"

#include "support/harness.h"
#include "unit/scenarios.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- what is wrong --- */

#define QUOTES "bytes in double quotes, with \\r \\n \\t \\0 \\\\ \\\" \\xHH"
#define DIRECTIVE "expected a directive, such as @on, @fault or @expect"
#define ANY_BYTES "expected bytes in double quotes, or @frame"
#define ANY \
	"expected a directive (@on ...), a message (HTTP/1.1 ...) or a comment (#)"

#define TIMES "a number from 1 to 4294967295"
#define RANK "a whole number from -2147483647 to 2147483647"
#define REQUESTS "a number of requests: N, N+ or N-M"
#define FILL "expected {path}, {query.NAME} or the like; a brace is '{{'"

static const struct {
	const char *text;
	const char *error;
} wrong[] = {
	/* parts of a body */
	{"@on /\n@part\nHTTP/1.1 200 OK\n",
		"s:2:1: '@part': expected it within the body of a message, or "
		"after @raw QUOTED or @frame"},
	{"@on /\nHTTP/1.1 101 X\n\na\n@next bytes\n@part\n",
		"s:5:1: '@next bytes': expected it before the message"},
	{"@on /\n@raw \"a\"\n@on /\nHTTP/1.1 200 OK\n\na\n@on\n@part\n",
		"s:8:1: '@part': expected it within the body of a message, or "
		"after @raw QUOTED or @frame"},
	{"@on /\nHTTP/1.1 200 OK\n\na\n@part soon\nb\n",
		"s:5:7: 'soon': expected a time, such as 200ms or 2s"},
	{"@on /\nHTTP/1.1 200 OK\n\na\n@part 1h\nb\n",
		"s:5:7: '1h': expected a time, such as 200ms or 2s"},
	{"@on /\nHTTP/1.1 200 OK\n\na\n@part 1000000s\nb\n",
		"s:5:7: '1000000s': expected a time, such as 200ms or 2s"},
	{"@on /\nHTTP/1.1 200 OK\n\na\n@part ms\nb\n",
		"s:5:7: 'ms': expected a time, such as 200ms or 2s"},
	{"@part\n", "s:1:1: '@part': expected @on before it"},
	/* parts of the request */
	{"@on /\n@fill x\n", "s:2:7: 'x': expected nothing more"},
	{"@on /\n@fill\nHTTP/1.1 200 OK\nA: b{c}\n", "s:4:6: 'c': " FILL},
	{"@on /\n@fill\nHTTP/1.1 200 OK\n\n{path}\n@@{}\n@@{nam}\n",
		"s:7:4: 'nam': " FILL},
	{"@on /\n@fill\nHTTP/1.1 200 OK\n\n{path\n}\n",
		"s:5:2: 'path': expected a '}' after it; a brace is '{{'"},
	{"HTTP/1.1 200 OK\n\n@fill\n",
		"s:1:1: 'HTTP/1.1 200 OK': "
		"expected @on before the message"},
	{"@on /\nHTTP/1.1 200 OK\n\n{nam}\n@fill\n",
		"s:5:1: '@fill': expected it before the message"},
	/* lines */
	{"foo\n", "s:1:1: 'foo': " ANY},
	{" @on GET /\n", "s:1:2: '@on GET /': expected it at the margin"},
	{"@on GET a",
		"s:1:9: 'a': expected a target, which begins with '/' "
		"or '*'"},
	{"@on GET /a b",
		"s:1:12: 'b': expected the end of the line, or a "
		"target without spaces"},
	{"@expect 1 GET a",
		"s:1:15: 'a': expected a target, which begins "
		"with '/' or '*'"},
	{"@on\n" OK "\nx\n@mail\n",
		"s:5:1: '@mail': " DIRECTIVE
		" (in a body '@' is written '@@')"},
	{"# a\n\n \t\nfoo", "s:4:1: 'foo': " ANY},
	{"# a\r\n\r\nfoo\r\n", "s:3:1: 'foo': " ANY},
	{ON "x\n", "s:2:1: 'x': " ANY},
	{"0123456789012345678901234567890123456789012",
		"s:1:1: '0123456789012345678901234567890123456789': " ANY},
	{"@", "s:1:1: '@': " DIRECTIVE},
	{"@foo", "s:1:1: '@foo': " DIRECTIVE},
	{"@onGET /", "s:1:1: '@onGET': " DIRECTIVE},
	{ON "@failt x y",
		"s:2:1: '@failt': expected a directive; did you mean @fault?"},
	{ON "@defects x", "s:2:1: '@defects': " DIRECTIVE},
	{"@@", "s:1:1: '@@': " DIRECTIVE},
	/* where it stands */
	{"HTTP/1.1 200 OK",
		"s:1:1: 'HTTP/1.1 200 OK': expected @on before the message"},
	{"@expect 1 GET /\n" OK,
		"s:2:1: 'HTTP/1.1 200 OK': expected @on before the message"},
	{"@order GET / -> GET /\n" OK,
		"s:2:1: 'HTTP/1.1 200 OK': expected @on before the message"},
	{"@then", "s:1:1: @then: expected an @on before it"},
	{"@expect 1\n@then", "s:2:1: @then: expected an @on before it"},
	{"@if-field A: b",
		"s:1:1: '@if-field A: b': expected @on or @expect before it"},
	{"@if-contains A: b",
		"s:1:1: '@if-contains A: b': expected @on or @expect before "
		"it"},
	{"@if-absent A",
		"s:1:1: '@if-absent A': expected @on or @expect before it"},
	{"@if-body \"a\"",
		"s:1:1: '@if-body \"a\"': expected @on or @expect before it"},
	{"@if-body-has \"a\"",
		"s:1:1: '@if-body-has \"a\"': expected @on or @expect before it"},
	{"@times 1", "s:1:1: '@times 1': expected @on before it"},
	{"@fault cut 1", "s:1:1: '@fault cut 1': expected @on before it"},
	{"@file f", "s:1:1: '@file f': expected @on before it"},
	{"@repeat 1", "s:1:1: '@repeat 1': expected @on before it"},
	{"@echo", "s:1:1: '@echo': expected @on before it"},
	{"@files", "s:1:1: '@files': expected @on before it"},
	{"@close", "s:1:1: '@close': expected @on before it"},
	{"@raw", "s:1:1: '@raw': expected @on before it"},
	{"@chunks 1", "s:1:1: '@chunks 1': expected @on before it"},
	{"@trailer A: b", "s:1:1: '@trailer A: b': expected @on before it"},
	{"@interim \"a\"", "s:1:1: '@interim \"a\"': expected @on before it"},
	{"@expect 1\n@fault cut 1",
		"s:2:1: '@fault cut 1': expected @on before it"},
	{ON OK "\n@fault cut 1",
		"s:4:1: '@fault cut 1': expected it before the message"},
	{ON OK "\n@if-field A: b",
		"s:4:1: '@if-field A: b': expected it before the message"},
	{ON OK "\nx\n@times 2\n",
		"s:5:1: '@times 2': expected it before the message"},
	/* without a message, or with two */
	{ON,
		"s:1:1: expected a message that begins with HTTP/, for the rule "
		"of line 1"},
	{"#\n" ON "@times 2\n" ON OK,
		"s:4:1: expected a message that begins with HTTP/, for the "
		"rule of line 2"},
	{ON OK "\n@then\n",
		"s:4:1: expected a message that begins with HTTP/, for the "
		"rule of line 4"},
	{ON "@echo\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message with @echo"},
	{ON "@silent\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message with @silent"},
	{ON "@close\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message with @close, "
		"which is only for bytes (for HTTP there is '@next close')"},
	{"@accepted\n" OK,
		"s:2:1: 'HTTP/1.1 200 OK': expected @raw: a greeting has no "
		"message"},
	{ON "@next bytes\nHTTP/1.1 101 S\n\n@frame ping\n" OK,
		"s:6:1: 'HTTP/1.1 200 OK': expected no second message; another "
		"reply begins with @then or @on"},
	{ON "@raw \"a\"\n@expect 1\nfoo\n", "s:4:1: 'foo': " ANY},
	{ON "@raw\n@fault cut 1\n@expect 1\nfoo\n", "s:5:1: 'foo': " ANY},
	/* words after it */
	{ON "@echo x", "s:2:7: 'x': expected nothing more"},
	{ON "@files  x y ", "s:2:9: 'x y ': expected nothing more"},
	{ON "@close 1", "s:2:8: '1': expected nothing more"},
	{ON "@next never",
		"s:2:7: 'never': expected close, keep, http, bytes or tls"},
	{ON "@if-bytes 1", "s:2:11: '1': expected nothing more"},
	{ON "@if-tunnel",
		"s:2:11: the line ends: expected the target of a CONNECT, such as "
		"example.com:443"},
	{ON "@next tls keep",
		"s:2:11: 'keep': expected http, bytes or nothing more"},
	{ON "@next tls http on", "s:2:16: 'on': expected nothing more"},
	{ON "@next keep on", "s:2:12: 'on': expected nothing more"},
	{ON "@in",
		"s:2:4: the line ends: expected a state, such as ready or "
		"connection:data"},
	{ON "@then-in ",
		"s:2:10: the line ends: expected a state, such as "
		"ready"},
	/* once is enough */
	{ON "@then-in a\n@then-in b\n",
		"s:3:1: @then-in: only one per rule; line 2 already has it"},
	{ON "@times 1\n# x\n@times 1\n",
		"s:4:1: @times: only one per rule; line 2 already has it"},
	{ON "@prefer 1\n@echo\n@prefer 2\n",
		"s:4:1: @prefer: only one per rule; line 2 already has it"},
	{ON "@if-body \"a\"\n@if-body \"b\"\n",
		"s:3:1: @if-body: only one per rule; line 2 already has it"},
	{ON "@if-basic a:b\n@if-basic a:b\n",
		"s:3:1: @if-basic: only one per rule; line 2 already has it"},
	{ON "@if-proxy-basic a:b\n@if-proxy-basic a:b\n",
		"s:3:1: @if-proxy-basic: only one per rule; line 2 already has "
		"it"},
	{ON "@if-tunnel a:1\n@if-tunnel *:1\n",
		"s:3:1: @if-tunnel: only one per rule; line 2 already has it"},
	{ON "@nocase\n@nocase\n",
		"s:3:1: @nocase: only one per rule; line 2 already has it"},
	{"@expect 1\n@if-refused\n@if-refused 400\n",
		"s:3:1: @if-refused: only one per expectation; line 2 "
		"already has it"},
	{"@expect 2\n@connections 1\n@connections 2\n",
		"s:3:1: @connections: only one per expectation; line 2 "
		"already has it"},
	{ON "@file a\n@file b\n",
		"s:3:1: @file: only one per rule; line 2 already has it"},
	{ON "@repeat 1\n@repeat 2\n",
		"s:3:1: @repeat: only one per rule; line 2 already has it"},
	{ON "@next keep\n@next close\n",
		"s:3:1: @next: only one per rule; line 2 already has it"},
	{ON "@chunks 1\n@chunks 2\n",
		"s:3:1: @chunks: only one per rule; line 2 already has it"},
	/* as @then has the conditions of the rule before */
	{ON "@if-body \"a\"\n@echo\n@then\n@if-body \"b\"\n@echo\n",
		"s:5:1: @if-body: only one per rule; line 2 already has it"},
	{"@expect 1\n@then-in a",
		"s:2:1: '@then-in a': expected @on before it"},
	{ON "@silent 1", "s:2:9: '1': expected nothing more"},
	{ON "@open 1", "s:2:7: '1': expected nothing more"},
	{ON "@if-body-begins x", "s:2:17: 'x': expected " QUOTES},
	{ON OK "\n@then x", "s:4:7: 'x': expected nothing more"},
	{"@accepted GET", "s:1:11: 'GET': expected nothing more"},
	/* conditions */
	{ON "@if-field", "s:2:10: the line ends: expected Name: value"},
	{ON "@if-contains  ", "s:2:15: the line ends: expected Name: text"},
	{ON "@if-absent",
		"s:2:11: the line ends: expected the name of a field"},
	{ON "@if-refused 407",
		"s:2:13: '407': expected nothing, 400, 408, 413, 414, "
		"417, 421, 431, 501, 503 or 505"},
	{ON "@if-refused any",
		"s:2:13: 'any': expected nothing, 400, 408, 413, 414, "
		"417, 421, 431, 501, 503 or 505"},
	{ON "@if-tls ",
		"s:2:9: the line ends: expected a fact and its value, such as "
		"sni: api.test"},
	{ON "@if-body", "s:2:9: the line ends: expected " QUOTES},
	{ON "@if-body a", "s:2:10: 'a': expected " QUOTES},
	{ON "@if-body \"a", "s:2:12: the line ends: expected " QUOTES},
	{ON "@if-body \"ab\\c\"", "s:2:13: '\\c\"': expected " QUOTES},
	{ON "@if-body \"a\" b", "s:2:13: ' b': expected the end of the line"},
	{ON "@if-body-has \"\"",
		"s:2:13: ' \"\"': expected a byte or more, and no NUL"},
	{ON "@if-body-has \"a\\0b\"",
		"s:2:13: ' \"a\\0b\"': expected a byte or more, and no NUL"},
	{ON "@prefer", "s:2:8: the line ends: expected " RANK},
	{ON "@prefer x", "s:2:9: 'x': expected " RANK},
	{ON "@prefer 1 2", "s:2:9: '1 2': expected " RANK},
	{ON "@prefer -", "s:2:9: '-': expected " RANK},
	{ON "@prefer 2147483648", "s:2:9: '2147483648': expected " RANK},
	{"@expect 1\n@prefer 1", "s:2:1: '@prefer 1': expected @on before it"},
	{ON "@field", "s:2:7: the line ends: expected Name: value"},
	{ON "@omit", "s:2:6: the line ends: expected the name of a field"},
	{ON "@if-form", "s:2:9: the line ends: expected name=value"},
	{ON "@if-form-only x", "s:2:15: 'x': expected nothing more"},
	{ON "@if-query-only a", "s:2:16: 'a': expected nothing more"},
	{ON "@if-query-absent ",
		"s:2:18: the line ends: expected the name of a parameter"},
	{ON "@if-file", "s:2:9: the line ends: expected name=filename"},
	{ON "@if-body-has b", "s:2:14: 'b': expected " QUOTES},
	/* numbers */
	{ON "@times", "s:2:7: the line ends: expected " TIMES},
	{ON "@times 0", "s:2:8: '0': expected " TIMES},
	{ON "@times x", "s:2:8: 'x': expected " TIMES},
	{ON "@times 1 2", "s:2:8: '1 2': expected " TIMES},
	{ON "@times 4294967296", "s:2:8: '4294967296': expected " TIMES},
	{ON "@repeat",
		"s:2:8: the line ends: expected a number of bytes from "
		"1"},
	{ON "@repeat 0", "s:2:9: '0': expected a number of bytes from 1"},
	{ON "@repeat -1", "s:2:9: '-1': expected a number of bytes from 1"},
	{ON "@chunks 1 0", "s:2:11: '0': expected the size of a chunk, from 1"},
	{ON "@chunks 1 x 2",
		"s:2:11: 'x 2': expected the size of a chunk, from 1"},
	/* what is nearly right */
	{"@On /", "s:1:1: '@On': expected a directive; did you mean @on?"},
	{ON "@flie f",
		"s:2:1: '@flie': expected a directive; did you mean @file?"},
	{ON "@if-fields A: b",
		"s:2:1: '@if-fields': expected a directive; did you mean "
		"@if-field?"},
	{ON OK "\n@expcet 1\n",
		"s:4:1: '@expcet': expected a directive; did you mean @expect? "
		"(in a body '@' is written '@@')"},
	{ON "@fi f", "s:2:1: '@fi': " DIRECTIVE},
	{"GET /a",
		"s:1:1: 'GET /a': expected a directive before the request, "
		"such as @on"},
	{ON "200 OK", "s:2:1: '200 OK': expected HTTP/1.1 before the status"},
	{"@on /a GET",
		"s:1:8: 'GET': expected the end of the line; a method "
		"stands before the target"},
	{"\t@on /\n", "s:1:2: '@on /': expected it at the margin"},
	{"@expect", "s:1:8: the line ends: expected " REQUESTS},
	{"@expect GET /", "s:1:9: 'GET /': expected " REQUESTS},
	{"@expect +", "s:1:9: '+': expected " REQUESTS},
	{"@expect -2", "s:1:9: '-2': expected " REQUESTS},
	{"@expect 2-", "s:1:9: '2-': expected " REQUESTS},
	{"@expect 2-3-4 GET", "s:1:9: '2-3-4 GET': expected " REQUESTS},
	{"@expect 3-2 GET",
		"s:1:9: '3-2 GET': expected the smaller number "
		"first"},
	{"@order",
		"s:1:7: the line ends: expected REQUEST -> REQUEST, or "
		"more"},
	{"@order GET /",
		"s:1:8: 'GET /': expected REQUEST -> REQUEST, or "
		"more"},
	{"@order GET /->GET /b",
		"s:1:8: 'GET /->GET /b': expected REQUEST -> REQUEST, or more"},
	/* replies */
	{ON "@file", "s:2:6: the line ends: expected the path of a file"},
	{ON "@trailer ", "s:2:10: the line ends: expected Name: value"},
	{ON "@interim", "s:2:9: the line ends: expected " QUOTES},
	{ON "@interim \"\"",
		"s:2:9: ' \"\"': expected a byte or more, and no NUL"},
	{ON "@interim \"a\\0b\"",
		"s:2:9: ' \"a\\0b\"': expected a byte or more, and no NUL"},
	{ON "@raw x", "s:2:6: 'x': expected " QUOTES},
	{ON "@raw \"\"\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message, as there are "
		"bytes of @raw"},
	{ON "@raw \"\"\nfoo\n", "s:3:1: 'foo': " ANY},
	{ON "@raw \"x\"\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message, as there are "
		"bytes of @raw"},
	{ON "@raw \"x\"\n@times 2\n@raw \"y\"\n\n" OK "\nbody\n@on\n@echo\n",
		"s:6:1: 'HTTP/1.1 200 OK': expected no message, as there are "
		"bytes of @raw"},
	{ON "@raw \"x\" y", "s:2:9: ' y': expected the end of the line"},
	{ON "@frame",
		"s:2:7: the line ends: expected text, binary, close, ping or "
		"pong"},
	{ON "@frame ping\n@fill", "s:3:1: '@fill': expected it before @frame"},
	{ON "@echo\n@framing lines\n",
		"s:3:1: '@framing lines': expected it before the first rule or expectation"},
	{"@framing lines\n@framing crlf\n",
		"s:2:1: @framing: only one per scenario; line 1 already has it"},
	{"@framing lines\n@echo\n", "s:2:1: '@echo': expected @on before it"},
	{ON "@if-frame x",
		"s:2:11: 'x': expected text, binary, close, ping or pong"},
	{ON "@if-frame text x", "s:2:16: 'x': expected " QUOTES},
	{ON "@if-frame text \"x\"\n@if-body \"x\"",
		"s:3:1: '@if-body \"x\"': expected no @if-frame before it"},
	{ON "@if-body-begins \"x\"\n@if-frame text",
		"s:3:1: '@if-frame text': expected no @if-body, @if-body-begins or @if-frame before it"},
	{ON "@frame \"x\"",
		"s:2:8: '\"x\"': expected text, binary, close, ping or pong"},
	{ON "@frame text x", "s:2:13: 'x': expected " QUOTES},
	{ON "@frame ping\n" OK,
		"s:3:1: 'HTTP/1.1 200 OK': expected no message, as there are "
		"bytes of @raw"},
	{ON OK "\n@raw", "s:4:1: '@raw': expected it before the message"},
	{ON OK "\n@frame ping",
		"s:4:1: '@frame ping': expected it before the message"},
	{ON "HTTP/1.1 101 X\n\nhello\n@frame ping",
		"s:5:1: '@frame ping': expected no body before it"},
	{ON "HTTP/1.1 101 X\n\n@frame ping\nhello\n", "s:5:1: 'hello': " ANY},
	{ON "@frame ping\nHTTP/1.1 101 X\n",
		"s:3:1: 'HTTP/1.1 101 X': expected no message, as there are "
		"bytes of @raw"},
	/* faults, and where in them */
	{ON "@fault", "s:2:7: the line ends: expected a fault"},
	{ON "@fault x",
		"s:2:8: 'x': expected a fault, such as cut, pause, "
		"split or end"},
	{ON "@fault cut 5;  end x",
		"s:2:20: 'x': expected fin, reset, stall or half"},
	{ON "@fault cut 5; deaf",
		"s:2:15: 'deaf': expected early or a stall with it, such as 'end stall'"},
	{ON "@fault\tgap 5", "s:2:8: 'gap 5': expected split or each with it"},
	{ON "@fault add \"\xc3\xa9\"",
		"s:2:13: expected printable ASCII; other bytes as \\xHH"},
	{ON "@fault cut",
		"s:2:11: after 'cut': expected N, -N, N%, any, head N, body N, "
		"wire N, record N or flight N"},
	{ON "@fault cut 3;; pause",
		"s:2:21: after 'pause': expected a time, such as 250ms or 2s"},
	{ON "@fault cut 1 or pause 5 chance ; end fin",
		"s:2:32: after 'pause 5 chance': expected a percentage from 0% "
		"to 100%, with at most 3 decimals"},
	{ON "@fault cut 1 or",
		"s:2:16: after 'cut 1 or': expected a fault, such as cut, "
		"pause, split or end"},
	{ON "@fault each 0; cut 1",
		"s:2:8: 'each 0': expected at least 1 "
		"byte"},
	/* messages */
	{ON "HTTP/1.1",
		"s:2:9: the line ends: expected a status, 101 or from 200 to 999"},
	{ON "HTTP/1.1 OK",
		"s:2:10: 'OK': expected a status, 101 or from 200 to 999"},
	{ON "HTTP/1.1 199 No",
		"s:2:10: '199 No': expected a status, 101 or from 200 to 999"},
	{ON "HTTP/1.1 1000 No",
		"s:2:10: '1000 No': expected a status, 101 or from 200 to 999"},
	{ON OK "A b\n",
		"s:3:1: 'A b': expected a field, 'Name: value', or the empty "
		"line before the body"},
	{ON OK ": b\n",
		"s:3:1: ': b': expected a field, 'Name: value', or the empty "
		"line before the body"},
	/* a body without its empty line */
	{ON OK "{\"a\": 1}\n",
		"s:3:1: '{\"a\": 1}': expected a field's name, or the empty line before the body"},
	{ON OK "hello\n",
		"s:3:1: 'hello': expected a field, 'Name: value', or the empty line before the body"},
	/* words that others have */
	{ON "@fault drop\n",
		"s:2:8: 'drop': expected a fault; did you mean empty or 'end reset'?"},
	{ON "@fault cut 1; delay 100\n",
		"s:2:15: 'delay': expected a fault; did you mean pause TIME?"},
	{ON "@if-auth a\n",
		"s:2:1: '@if-auth': expected a directive; did you mean "
		"'@if-basic USER:PASSWORD' or '@if-digest USER:PASSWORD'?"},
	{ON "@if-cookie a=b\n",
		"s:2:1: '@if-cookie': expected a directive; did you mean '@if-contains Cookie: NAME=VALUE'?"},
	{ON "@fault jitter 5\n",
		"s:2:8: 'jitter': expected a fault; did you mean 'pause TIME-TIME'?"},
	{ON "@delay 100\n",
		"s:2:1: '@delay': expected a directive; did you mean '@fault pause TIME'?"},
	{ON "@Status 503\n",
		"s:2:1: '@status': expected a directive; did you mean a status line, 'HTTP/1.1 503 Service Unavailable'?"},
	{"@GET /\n",
		"s:1:1: '@get': expected a directive; did you mean '@on GET /PATH'?"},
	{ON "@json {}\n",
		"s:2:1: '@json': expected a directive; did you mean @if-json?"},
	{ON "@keep-alive\n",
		"s:2:1: '@keep-alive': expected a directive; did you mean '@next keep', or for all connections .keep_alive or --keep-alive?"},
	{ON OK "\n@body\n",
		"s:4:1: '@body': expected a directive, such as @on, @fault or @expect (in a body '@' is written '@@')"},
	{ON OK "A : b\n",
		"s:3:1: 'A : b': expected a field's name, or the empty line before the body"},
	{ON OK "A: b\n c: d\n",
		"s:4:1: ' c: d': expected no folded line (@fault fold makes one)"},
	{ON OK "A:  \x01\n", "s:3:5: '\x01': expected a field's value"},
	{ON "@file f\n" OK "\nbody\n",
		"s:5:1: a body: expected none after @file of the rule of line 1"},
	/* transcripts */
	{"connection 1 from a\nfoo",
		"s:2:1: 'foo': expected a line of a "
		"transcript"},
	{"connection 1 from a\n 0.1 > a\\b\n",
		"s:2:8: 'a\\b': expected " QUOTES},
	{"connection 1 from a\n > ... 5 more bytes\n",
		"s:2:1: the transcript is not complete"},
};

START_TEST(what_is_wrong_is_named)
{
	const char *text = wrong[_i].text;
	int code = read_text(text, strlen(text), NULL);

	ck_assert_msg(code == -EINVAL, "taken (%d), expected: %s\n%s", code,
		wrong[_i].error, text);
	ck_assert_msg(strcmp(error, wrong[_i].error) == 0,
		"%s\nexpected: %s\ngot:      %s", text, wrong[_i].error, error);
	rt_scenario_free(&scenario);
	ck_assert_uint_eq(scenario.count, 0);
}
END_TEST

/* Where lines are read as text; what follows is. */
START_TEST(lines_have_no_nul)
{
	static const struct {
		const char *text;
		size_t size;
		const char *error; /* NULL: it is right */
	} texts[] = {
#define TEXT(text) text, sizeof(text) - 1
		{TEXT("foo\0"), "s:1:4: a NUL: expected text"},
		{TEXT("\0"), "s:1:1: a NUL: expected text"},
		{TEXT("@on /\0a\n@echo\n"), "s:1:6: a NUL: expected text"},
		{TEXT("@on\n@if-body-has \"a\0b\"\n@echo\n"),
			"s:2:16: a NUL: expected text"},
		{TEXT("@on\n@fault cut 1\0; x\n"),
			"s:2:13: a NUL: expected text"},
		{TEXT("@on\nHTTP/1.1 200 O\0K\n"),
			"s:2:15: a NUL: expected text"},
		{TEXT("@on\n@echo\n\n# a\n@expect 1 \0"),
			"s:5:11: a NUL: expected text"},
		{TEXT("# \0\n@on\n@echo\n"), NULL},
		{TEXT("@on\nHTTP/1.1 200 OK\n\n\0\n"), NULL},
#undef TEXT
	};

	for (int i = 0; i < COUNT(texts); i++) {
		int code = read_text(texts[i].text, texts[i].size, NULL);

		ck_assert_msg(code == (texts[i].error ? -EINVAL : 0),
			"text %d: %d, %s", i, code, error);
		ck_assert_str_eq(error, texts[i].error ? texts[i].error : "");
		rt_scenario_free(&scenario);
	}
}
END_TEST

START_TEST(errors_are_short)
{
	char name[400], text[4000];
	int code;

	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	memset(text, 'x', sizeof text);
	code = rt_scenario_read(&scenario, name, NULL, text, sizeof text,
		error);
	ck_assert_int_eq(code, -EINVAL);
	ck_assert_uint_lt(strlen(error), RETORT_ERROR_SIZE);
	ck_assert_ptr_nonnull(strstr(error, "nnn:1:1: 'xxx"));
	rt_scenario_free(&scenario);
}
END_TEST

/* --- what is right --- */

#define BOM "\xef\xbb\xbf"

START_TEST(nothing)
{
	static const char *const texts[] = {"", "\n", "# x", "\r\n# x\r\n \n",
		BOM, (BOM "\n# x\n")};

	for (int i = 0; i < COUNT(texts); i++) {
		read_good(texts[i]);
		ck_assert_uint_eq(scenario.count, 0);
		assert_notices("");
		rt_scenario_free(&scenario);
	}
}
END_TEST

START_TEST(a_rule)
{
	const struct retort_reply *got;

	read_good("# a rule\r\n"
		  "@on\tGET  /a \r\n"
		  "@times 3\r\n"
		  "@if-field A: b\r\n"
		  "@if-field  C: d \r\n"
		  "@if-contains E: f\r\n"
		  "@if-absent G\r\n"
		  "@if-body-has \"t\\\"x\"\r\n"
		  "@fault cut body 1; each 2\r\n"
		  "@fault end reset\r\n"
		  "\r\n"
		  "# of it\r\n"
		  "HTTP/1.1 404 Not  here \r\n"
		  "X: y\r\n"
		  "Content-Type: text/plain\r\n"
		  "\r\n"
		  "one\r\n"
		  "two\r\n"
		  "\r\n"
		  "\r\n");
	ck_assert_uint_eq(scenario.count, 1);
	ck_assert_uint_eq(scenario.items[0].begins.line, 2);
	got = rule(0);
	ck_assert_uint_eq(got->times, 3);
	assert_text(got->request, "GET /a");
	assert_text(got->if_field, "A: b\nC: d\n");
	assert_text(got->if_contains, "E: f\n");
	assert_text(got->if_absent, "G\n");
	assert_text(got->if_body_has, "t\"x");
	ck_assert_ptr_null(got->if_body);
	assert_text(got->faults, "cut body 1; each 2\nend reset\n");
	ck_assert_int_eq(got->status, 404);
	assert_text(got->reason, "Not  here");
	assert_text(got->fields, "X: y\nContent-Type: text/plain\n");
	ck_assert_ptr_null(got->omit);
	assert_body(got, "one\r\ntwo");
	ck_assert(!got->raw && !got->chunked && !got->accepted && !got->files);
	assert_notices("");
	rt_scenario_free(&scenario);
}
END_TEST

/* Some editors begin UTF-8 with it; it has no column. */
START_TEST(a_byte_order_mark_is_skipped)
{
	static const char twice[] = BOM BOM "@on\n", later[] = "\n" BOM "@on\n",
			  foo[] = BOM "foo\n";

	read_good(BOM "@on GET /\r\n@echo\r\n");
	ck_assert_uint_eq(scenario.count, 1);
	ck_assert_uint_eq(scenario.items[0].begins.line, 1);
	assert_text(rule(0)->request, "GET /");
	rt_scenario_free(&scenario);
	ck_assert_int_eq(read_text(foo, sizeof foo - 1, NULL), -EINVAL);
	ck_assert_str_eq(error, "s:1:1: 'foo': " ANY);
	rt_scenario_free(&scenario);
	ck_assert_int_eq(read_text(twice, sizeof twice - 1, NULL), -EINVAL);
	rt_scenario_free(&scenario);
	ck_assert_int_eq(read_text(later, sizeof later - 1, NULL), -EINVAL);
	rt_scenario_free(&scenario);
}
END_TEST

/* The directive of a member is there; 0: there is none. */
static void
assert_place(size_t item, const char *member, const char *message,
	unsigned line, unsigned column)
{
	const struct rt_place *place = rt_scenario_place(&scenario.items[item],
		member, strlen(member), message);

	ck_assert_uint_eq(place ? place->line : 0, line);
	ck_assert_uint_eq(place ? place->column : 0, column);
}

/* Where faults that cannot be done are reported. */
START_TEST(the_first_fault_is_noted)
{
	static const char text[] = "@on /a\n@echo\n@on /b\n@times 2\n"
				   "@fault \t cut body 6\n@fault end reset\n"
				   "HTTP/1.1 200 OK\r\n\r\nhello\n"
				   "@then\n@fault end reset\n";
	static const char body[] =
		"\n@on\n@fault cut 1\nHTTP/1.1 204 No\n\nx\n";
	struct retort *server;

	/* places are in the text itself, which stays */
	ck_assert_int_eq(rt_scenario_read(&scenario, "s", NULL, text,
				 sizeof text - 1, error),
		0);
	ck_assert_uint_eq(scenario.count, 3);
	assert_place(0, "faults", "", 0, 0);
	assert_place(1, "faults", "", 5, 10);
	assert_place(1, "faults", "'end reset': it cannot be", 6, 8);
	assert_place(1, "times", "", 4, 8);
	assert_place(2, "faults", "", 11, 8);
	rt_scenario_free(&scenario);
	server = retort_start(.bind = "", .stepped = true, .error = error);
	ck_assert_msg(server != NULL, "%s", error);
	ck_assert_int_eq(retort_load(server, .text = text, .name = "s",
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error, "s:5:10: cut body 6: the body has 5 bytes");
	/* what is wrong with the rest of a rule is where that begins */
	ck_assert_int_eq(retort_load(server, .text = body, .name = "s",
				 .error = error),
		-EINVAL);
	ck_assert_str_eq(error,
		"s:4:1: 'HTTP/1.1 204 No': a 204 or 304 has no body, but for "
		"the fault 'force-body'");
	retort_close(server);
}
END_TEST

/* A mistake in a request is reported at its place. */
/* What shows in the whole of a rule is told of the directive. */
static const struct {
	const char *text;
	const char *error;
} unfit[] = {
	{"@on\n@times 1\n@if-form a=1\n@if-form b\n@echo\n",
		"s:4:10: @if-form: 'b': expected 'name=value'"},
	{"@on\n@if-query-absent a&b\n@echo\n",
		"s:2:18: @if-query-absent: 'a&b': expected a name alone"},
	{"@on\n@if-query-absent a\n@if-query-absent b=c\n@echo\n",
		"s:3:18: @if-query-absent: 'b=c': expected a name alone"},
	{"@on\n@if-form-absent a&b\n@echo\n",
		"s:2:17: @if-form-absent: 'a&b': expected a name alone"},
	{"@on\n@echo\n@then-in a/b\n",
		"s:3:10: @then-in: 'a/b': expected a state"},
	{"@on\n@in  x:ok y:a/b\n@echo\n",
		"s:2:11: @in: 'y:a/b': expected a state"},
	{"@expect 1\n@if-tls foo: x\n",
		"s:2:9: @if-tls: 'foo: x': expected version, cipher, "},
#ifdef HAVE_JANSSON
	{"@on\n@if-json {\"a\": }\n@echo\n",
		"s:2:10: @if-json: '{\"a\": }': malformed JSON at byte 6: "},
	{"@on\n@if-json-has [1,\n@if-json-has 2,]\n@echo\n",
		"s:3:14: @if-json-has: '2,]': malformed JSON at byte 2: "},
#endif
	{"@on\n@echo\n@nocase\n",
		"s:3:1: @nocase: expected a condition on a field's value or "
		"the body with it"},
	{"@on\n@if-path-matches (\n@if-path-matches [\n@echo\n",
		"s:2:18: @if-path-matches: '('"},
	/* what is quoted stays as it was written */
	{"@on\n@if-body-matches ( .body\nHTTP/1.1 200 OK\n\nx\n",
		"s:2:18: @if-body-matches: '( .body': "},
	{"@on\n@if-body-matches (' .fill .body\n@echo\n",
		"s:2:18: @if-body-matches: '(' .fill .body': "},
	{"@on\n@if-form a .body\n@echo\n",
		"s:2:10: @if-form: 'a .body': expected 'name=value'"},
	/* of several directives it is the one with that text, whole, */
	{"@on\n@if-form ab=1\n@if-form c=b\n@if-form b\n@echo\n",
		"s:4:10: @if-form: 'b': expected"},
	/* in part, */
	{"@on\n@if-field-matches A: x\n@if-field-matches  B: ( .body\n"
	 "@echo\n",
		"s:3:23: @if-field-matches: '( .body': "},
	{"@on\n@fault gap 5ms; split 3\n@fault corrupt 1; cut 500\n" OK "\nx\n",
		"s:3:19: cut 500: the reply has "},
	/* or however long */
	{"@on\n@if-path-matches 0123456789012345678901234567890123456789\n"
	 "@if-path-matches 0123456789012345678901234567890123456789(\n@echo\n",
		"s:3:18: @if-path-matches: '0123"},
	{"@expect 1\n@if-basic ada\n",
		"s:2:1: @if-basic: expected USER:PASSWORD"},
	{"@on\n@if-basic ada\n@echo\n@then\n@times 1\n@echo\n",
		"s:2:1: @if-basic: expected USER:PASSWORD"},
	{"@on\n@fill\nHTTP/1.1 200 OK\n\n{1}\n",
		"s:2:1: @fill: '{1}': the path of the rule has 0 asterisks"},
	{"@on\n@fault end fin\n@fault cut 10000\nHTTP/1.1 200 OK\n\nx\n",
		"s:3:8: cut 10000: the reply has "},
	{"@on\n@field A: b\n@file /nowhere/at/all\n",
		"s:3:7: file '/nowhere/at/all': No such file or directory"},
	{"@on\n@if-digest a:b\n@if-digest realm=x\n@if-digest qop=y\n@echo\n",
		"s:4:12: @if-digest: 'qop=y': expected a qop of auth"},
	{"@on\n@if-basic a:b\n@if-digest a:b\n@echo\n",
		"s:3:1: @if-digest: nothing can fit: Authorization is by "},
	{"@on\n@if-form a=1\n@if-form-absent a\n@echo\n",
		"s:3:17: @if-form-absent: nothing can fit: 'a' is both "},
	{"\n@on\n@if-body \"a\"\n@if-body-has \"b\"\n@echo\n",
		"s:4:1: @if-body-has: nothing can fit"},
	{"@accepted\n@if-field A: b\n@close\n",
		"s:2:1: @if-field: no request has arrived when"},
	{"@accepted\n@next http\n@raw \"x\"\n",
		"s:2:1: @next: the server's protocol follows a greeting"},
	{"@on\n@if-bytes\n@if-http\n@echo\n",
		"s:3:1: @if-http: not with @if-bytes"},
	/* that of the first line, too */
	{"\n@on GET /\n@if-bytes\n@echo\n",
		"s:2:5: @on: 'GET /': only HTTP has a method and a target"},
	{"@expect 1 GET /\n@if-bytes\n",
		"s:1:11: @expect: 'GET /': only HTTP has a method and a "
		"target"},
	{"@on  GET  /a#b\n@echo\n",
		"s:1:11: @on: '/a#b': expected a target without spaces"},
	{"@on GET /\n@echo\n@expect 1-2 G@T /a\n",
		"s:3:13: @expect: 'G@T /a': expected 'METHOD /TARGET' or"},
	{"@order GET /a -> GET a\n",
		"s:1:18: @order: 'GET a': expected 'METHOD /TARGET' or"},
	{"@on 01234567890123456789012345678901234567890123456789012345678901234"
	 "\n@echo\n",
		"s:1:5: @on: '0123456789012345678901234567890123456789012345678"
		"9012345678901234': expected a method of at most 64 bytes"},
	/* members are called as they are here */
	{"@on\n@fill\n@repeat 3\n" OK "\nx\n",
		"s:2:1: @fill: not with @repeat"},
	{"@on\n@echo\n@raw \"x\"\n", "s:2:1: @echo: not with @raw"},
	{"@on\n@files\n" OK "\n", "s:2:1: @files: not with a message"},
	{"@on\n@chunks 1\n" OK "\na\n@part\nb\n",
		"s:2:1: @chunks: not with @part"},
	{"@on\n@if-bytes\n" OK "\nx\n",
		"s:3:1: 'HTTP/1.1 200 OK': only for HTTP; without it '@raw "
		"QUOTED' is all of a reply"},
	/* options are not */
	{"@on\n@next tls\n@echo\n",
		"s:2:1: @next: TLS can begin only with .tls_later or .tls "
		"(--tls-later, --tls)"},
	/* and otherwise of the message or the rule */
	{"\n@on\nHTTP/1.1 204 No\n\nx\n",
		"s:3:1: 'HTTP/1.1 204 No': a 204 or 304 has no body"},
};

START_TEST(a_mistake_is_told_of_its_directive)
{
	struct retort *server = retort_start(.error = error);

	ck_assert_msg(server != NULL, "%s", error);
	ck_assert_int_lt(retort_load(server, .text = unfit[_i].text,
				 .name = "s", .error = error),
		0);
	ck_assert_msg(strncmp(error, unfit[_i].error,
			      strlen(unfit[_i].error)) == 0,
		"%s\nexpected: %s\ngot:      %s", unfit[_i].text,
		unfit[_i].error, error);
	retort_close(server);
}
END_TEST

START_TEST(rules_and_expectations_have_a_place)
{
	static const char text[] =
		"# one\n@on GET /a\n@times 1\n" OK "\nx\n\n@on GET /b\n" OK
		"\n@expect 2 GET /a\n@order GET /a -> GET /c\n";
	static const char *const wanted[] = {"s:2 would, but was used up (1 of",
		"; of the others, path differs from s:8 \"/b\" at byte 1",
		"s:11 (GET /a): expected exactly 2, got 3\n",
		"s:12 (in order): expected GET /c after GET /a, which did"};
	struct retort *server = retort_start(.error = error);
	const char *verdict;

	ck_assert_msg(server != NULL, "%s", error);
	ck_assert_int_eq(retort_load(server, .text = text, .name = "s",
				 .error = error),
		0);
	for (int i = 0; i < 3; i++) {
		int fd = client_connect(retort_url(server));
		struct bytes got = {.data = NULL};

		ck_assert(client_send_text(fd,
			"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"));
		ck_assert_int_eq(client_receive(fd, &got), 0);
		bytes_free(&got);
		(void)close(fd);
	}
	verdict = retort_verdict(server);
	ck_assert_ptr_nonnull(verdict);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		ck_assert_msg(strstr(verdict, wanted[i]) != NULL,
			"expected '%s' in: %s", wanted[i], verdict);
	retort_close(server);
}
END_TEST

START_TEST(rules_of_all_kinds)
{
	read_good("@on\n@echo\n"
		  "@on POST\n@files\n"
		  "@on\n@files\n@fault cut body 3\n" OK "\n"
		  "@on\n@fault end reset\n"
		  "@on\n@if-body \"a\\0b\"\n@chunks 1 20 3\n@trailer A: b\n"
		  "@trailer C: d\n@interim \"HTTP/1.1 103 E\\r\\n\\r\\n\"\n" OK
		  "\nx"
		  "\n@on\n@chunks\n@repeat 5\n" OK "\nxy\n"
		  "@accepted\n@fault cut 0 reset\n"
		  "@accepted\n@raw \"hello\\r\\n\"\n"
		  "@on\n@raw \"a\"\n@raw \"b\\n\"\n"
		  "@on\n@close\n@on\n@close\n@raw \"bye\"\n"
		  "@on\n@if-body-begins \"NOOP\"\n@silent\n"
		  "@on\n@in a  b:c\n@in connection:d\n@then-in e f:g \n@echo\n"
		  "@then\n@echo\n@expect 1\n@in h\n"
		  "@on\n@if-bytes\n@if-tunnel *:7\n@next http\n@echo\n"
		  "@on\n@if-http\n@next bytes\nHTTP/1.1 101 Yes\n\n"
		  "@on\n@next tls\n@echo\n@on\n@next tls http\n@echo\n"
		  "@on\n@next tls bytes\n@echo\n"
		  "@on\n@if-body \"\"\n@echo\n"
		  "@on\n@open\n" OK "\nx\n");
	ck_assert_uint_eq(scenario.count, 22);
	ck_assert(rule(21)->open && !rule(20)->open);
	assert_body(rule(21), "x");
	ck_assert_ptr_nonnull(rule(20)->if_body);
	ck_assert_uint_eq(rule(20)->if_body_size, 0);
	ck_assert_int_eq(*(const char *)rule(20)->if_body, '\0');
	ck_assert_int_eq(rule(17)->next, RETORT_NEXT_TLS);
	ck_assert_int_eq(rule(18)->next, RETORT_NEXT_TLS_HTTP);
	ck_assert_int_eq(rule(19)->next, RETORT_NEXT_TLS_BYTES);
	ck_assert(rule(15)->if_bytes && !rule(15)->if_http);
	assert_text(rule(15)->if_tunnel, "*:7");
	ck_assert_int_eq(rule(15)->next, RETORT_NEXT_HTTP);
	ck_assert(rule(16)->if_http);
	ck_assert_int_eq(rule(16)->next, RETORT_NEXT_BYTES);
	ck_assert_int_eq(rule(16)->status, 101);
	ck_assert(rule(0)->echo);
	ck_assert_ptr_null(rule(0)->request);
	assert_text(rule(1)->request, "POST");
	ck_assert(rule(1)->files);
	ck_assert(rule(2)->files);
	ck_assert_int_eq(rule(3)->status, 0);
	assert_text(rule(3)->faults, "end reset\n");
	ck_assert_uint_eq(rule(4)->if_body_size, 3);
	ck_assert_int_eq(memcmp(rule(4)->if_body, "a\0b", 3), 0);
	ck_assert(rule(4)->chunked);
	assert_text(rule(4)->chunks, "1 20 3");
	assert_text(rule(4)->trailers, "A: b\nC: d\n");
	assert_text(rule(4)->interim, "HTTP/1.1 103 E\r\n\r\n");
	ck_assert(rule(5)->chunked && !rule(5)->close);
	ck_assert_ptr_null(rule(5)->chunks);
	ck_assert_uint_eq(rule(5)->repeat, 5);
	assert_body(rule(5), "xy");
	ck_assert(rule(6)->accepted);
	assert_text(rule(6)->faults, "cut 0 reset\n");
	ck_assert(rule(7)->accepted && !rule(7)->raw);
	assert_body(rule(7), "hello\r\n");
	ck_assert(rule(8)->raw);
	assert_body(rule(8), "ab\n");
	ck_assert(rule(9)->close && rule(10)->close);
	assert_body(rule(10), "bye");
	ck_assert(rule(11)->silent && !rule(10)->silent);
	assert_text(rule(11)->if_body_begins, "NOOP");
	assert_text(rule(12)->in, "a  b:c\nconnection:d\n");
	assert_text(rule(12)->then_in, "e f:g");
	/* what a rule wants it has in common with the next, but not more */
	assert_text(rule(13)->in, "a  b:c\nconnection:d\n");
	ck_assert_ptr_null(rule(13)->then_in);
	assert_text(scenario.items[14].rule.in, "h\n");
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(expectations)
{
	static const struct {
		size_t least, most;
		const char *request;
	} expected[] = {{2, 2, "GET /a"}, {0, 0, NULL}, {1, SIZE_MAX, "POST"},
		{2, 3, "/b"}, {5, 5, NULL}, {0, 0, NULL}};

	read_good("@expect 2 GET /a\n@if-absent X\n"
		  "@expect 0\n"
		  "@expect 1+ POST\n"
		  "@expect 2-3 /b\n"
		  "@expect 5-5\n@if-body-has \"x\"\n"
		  "@order GET /a -> POST ->  /b\n"
		  "@on\n@echo\n");
	ck_assert_uint_eq(scenario.count, 7);
	for (size_t i = 0; i < 5; i++) {
		const struct rt_item *item = scenario.items + i;

		ck_assert_int_eq(item->kind, RT_ITEM_EXPECT);
		ck_assert_uint_eq(item->least, expected[i].least);
		ck_assert_uint_eq(item->most, expected[i].most);
		assert_text(item->rule.request, expected[i].request);
	}
	assert_text(scenario.items[0].rule.if_absent, "X\n");
	ck_assert_ptr_null(scenario.items[1].rule.if_absent);
	assert_text(scenario.items[4].rule.if_body_has, "x");
	ck_assert_int_eq(scenario.items[5].kind, RT_ITEM_ORDER);
	assert_text(scenario.items[5].requests[0], "GET /a");
	assert_text(scenario.items[5].requests[1], "POST");
	assert_text(scenario.items[5].requests[2], " /b");
	ck_assert_ptr_null(scenario.items[5].requests[3]);
	ck_assert_int_eq(scenario.items[6].kind, RT_ITEM_RULE);
	ck_assert_uint_eq(scenario.items[6].begins.line, 9);
	rt_scenario_free(&scenario);
}
END_TEST

/* Of conditions that lines have, each is kept, in its order. */
START_TEST(conditions)
{
	const struct retort_reply *got;

	read_good("@on POST /a?b=*\n@if-query-absent c\n"
		  "@if-query-only\n@if-form d=1 + 1 \n"
		  "@if-query-absent e\n@if-form f=*\n"
		  "@if-form-absent g\n@if-form-only\n"
		  "@if-file h=*.png;type=image/png\n"
		  "@if-path-matches ^/[a b]\n@if-field-matches I: j+\n"
		  "@if-body-matches ^k|l$ \n@if-body-matches m\n"
		  "@if-json {\"n\":\n@if-json\t1}\n@if-json-has [ ]\n@echo\n"
		  "@then\n@echo\n");
	/* a queue has them again */
	for (size_t i = 0; i < 2; i++) {
		got = rule(i);
		assert_text(got->request, "POST /a?b=*");
		assert_text(got->if_query_absent, "c\ne\n");
		ck_assert(got->if_query_only);
		assert_text(got->if_form, "d=1 + 1\nf=*\n");
		assert_text(got->if_form_absent, "g\n");
		ck_assert(got->if_form_only);
		assert_text(got->if_file, "h=*.png;type=image/png\n");
		assert_text(got->if_path_matches, "^/[a b]\n");
		assert_text(got->if_field_matches, "I: j+\n");
		assert_text(got->if_body_matches, "^k|l$\nm\n");
		assert_text(got->if_json, "{\"n\":\n1}\n");
		assert_text(got->if_json_has, "[ ]\n");
	}
	rt_scenario_free(&scenario);
}
END_TEST

/* A rule's rank, which its queue has, too; and fields without a message. */
START_TEST(ranks_and_fields)
{
	read_good("@on\n@prefer -12\n@field A: b\n@field C:d\n@omit E\n@files\n"
		  "@then\n@echo\n@on\n@prefer 2147483647\n@field F: g\n"
		  "HTTP/1.1 200 OK\nH: i\n\n@on\n@echo\n");
	ck_assert_int_eq(rule(0)->prefer, -12);
	assert_text(rule(0)->fields, "A: b\nC:d\n");
	assert_text(rule(0)->omit, "E\n");
	ck_assert(rule(0)->files);
	ck_assert_int_eq(rule(1)->prefer, -12);
	ck_assert_ptr_null(rule(1)->fields);
	ck_assert_ptr_null(rule(1)->omit);
	ck_assert_int_eq(rule(2)->prefer, INT_MAX);
	assert_text(rule(2)->fields, "F: g\nH: i\n");
	ck_assert_int_eq(rule(3)->prefer, 0);
	rt_scenario_free(&scenario);
}
END_TEST

/* Each reply of a queue answers once, the last one ever after. */
START_TEST(queues)
{
	read_good("@on POST /a\n"
		  "@if-field A: b\n@if-contains C: d\n@if-absent E\n"
		  "@if-body-has \"t\"\n@if-body \"u\"\n" OK "\n1\n\n"
		  "@then\n@times 3\n" OK "\n2\n"
		  "@then\n@fault end reset\n"
		  "@then\n" OK "\n4\n"
		  "@accepted\n@fault end reset\n@then\n@fault end fin\n"
		  "@on /b\n@echo\n");
	ck_assert_uint_eq(scenario.count, 7);
	for (size_t i = 0; i < 4; i++) {
		const struct retort_reply *when = rule(i);

		assert_text(when->request, "POST /a");
		assert_text(when->if_body_has, "t");
		assert_bytes(when->if_body, when->if_body_size, "u", 1);
		/* empty lines say nothing */
		ck_assert_ptr_nonnull(strstr(when->if_field, "A: b\n"));
		ck_assert_ptr_nonnull(strstr(when->if_contains, "C: d\n"));
		ck_assert_ptr_nonnull(strstr(when->if_absent, "E\n"));
		ck_assert_ptr_null(strstr(when->if_field + 1, "A"));
	}
	ck_assert_uint_eq(rule(0)->times, 1);
	ck_assert_uint_eq(rule(1)->times, 3);
	ck_assert_uint_eq(rule(2)->times, 1);
	ck_assert_uint_eq(rule(3)->times, 0);
	assert_body(rule(0), "1");
	assert_body(rule(1), "2");
	ck_assert_ptr_null(rule(0)->faults);
	assert_text(rule(2)->faults, "end reset\n");
	ck_assert_ptr_null(rule(3)->faults);
	ck_assert(rule(4)->accepted && rule(5)->accepted);
	ck_assert_uint_eq(rule(4)->times, 1);
	ck_assert_uint_eq(rule(5)->times, 0);
	ck_assert(!rule(6)->accepted);
	ck_assert_ptr_null(rule(6)->if_body);
	rt_scenario_free(&scenario);
}
END_TEST

/* A rule without conditions has none in its queue. */
START_TEST(a_queue_without_conditions)
{
	read_good("@on GET /\n" OK "\n1\n@then\n" OK "\n2\n");
	for (size_t i = 0; i < 2; i++) {
		const struct retort_reply *when = rule(i);

		ck_assert(when->if_field == NULL ||
			strspn(when->if_field, "\r\n") ==
				strlen(when->if_field));
		ck_assert(when->if_absent == NULL ||
			strspn(when->if_absent, "\r\n") ==
				strlen(when->if_absent));
	}
	rt_scenario_free(&scenario);
}
END_TEST

START_TEST(many_rules)
{
	struct bytes text = {.data = NULL};
	char line[64];

	for (int i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof line, "@on /%d\n@echo\n", i);
		bytes_add(&text, line, strlen(line));
	}
	read_good(text.data);
	ck_assert_uint_eq(scenario.count, 1000);
	for (size_t i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof line, "/%zu", i);
		assert_text(rule(i)->request, line);
		ck_assert_uint_eq(scenario.items[i].begins.line, 2 * i + 1);
	}
	rt_scenario_free(&scenario);
	bytes_free(&text);
}
END_TEST

START_TEST(files_are_relative_to_the_scenario)
{
	static const struct {
		const char *folder;
		const char *line;
		const char *path;
	} paths[] = {
		{NULL, "a b.txt", "a b.txt"},
		{"dir", "a", "dir/a"},
		{"dir/sub", "../a", "dir/sub/../a"},
		{"dir", "/a", "/a"},
		{"/dir", "  a\t", "/dir/a"},
	};

	for (int i = 0; i < COUNT(paths); i++) {
		char text[100];

		(void)snprintf(text, sizeof text, "@on\n@file %s\n" OK "A: b\n",
			paths[i].line);
		ck_assert_int_eq(read_text(text, strlen(text), paths[i].folder),
			0);
		assert_text(rule(0)->file, paths[i].path);
		assert_text(rule(0)->fields, "A: b\n");
		ck_assert_int_eq(rule(0)->status, 200);
		rt_scenario_free(&scenario);
	}
}
END_TEST

/* --- bytes --- */

static const struct {
	const char *text;
	size_t size;
	const char *bytes; /* or what is wrong */
} lines[] = {
	{"\"\"", 0, ""},
	{" \"a b\"\t", 3, "a b"},
	{"\"a\\r\\n\\t\\0\\\\\\\"\\xFF{\"", 9, "a\r\n\t\0\\\"\xff{"},
	{"@frame ping", 2, "\x89\0"},
	{"@frame text \"\"", 2, "\x81\0"},
	{"@frame\ttext  \"hello\" ", 7, "\x81\5hello"},
	{"@frame close \"\\x03\\xe8bye\"", 7, "\x88\5\x03\xe8\x62ye"},
	{"", SIZE_MAX, "the line ends: " ANY_BYTES},
	{"a", SIZE_MAX, "'a': " ANY_BYTES},
	{" @frames text", SIZE_MAX, "'@frames text': " ANY_BYTES},
	{"\"a", SIZE_MAX, "the line ends: expected " QUOTES},
	{"\"a\\q\"", SIZE_MAX, "'\\q\"': expected " QUOTES},
	{"\"a\nb\"", SIZE_MAX, "' b\"': expected " QUOTES},
	{"\"a\" b", SIZE_MAX, "' b': expected the end of the line"},
	{"@frame", SIZE_MAX,
		"the line ends: expected text, binary, close, ping or pong"},
	{"@frame txt \"a\"", SIZE_MAX,
		"'txt \"a\"': expected text, binary, close, ping or pong"},
	{"@frame text a", SIZE_MAX, "'a': expected " QUOTES},
};

START_TEST(bytes_of_a_line)
{
	char wrong_so[RETORT_ERROR_SIZE] = "";
	size_t size = 0;
	char *bytes = retort_bytes_of(lines[_i].text, &size, wrong_so);

	if (lines[_i].size == SIZE_MAX) {
		ck_assert_ptr_null(bytes);
		ck_assert_str_eq(wrong_so, lines[_i].bytes);
		ck_assert_ptr_null(
			retort_bytes_of(lines[_i].text, &size, NULL));
		return;
	}
	ck_assert_str_eq(wrong_so, "");
	ck_assert_ptr_nonnull(bytes);
	assert_bytes(bytes, size, lines[_i].bytes, lines[_i].size);
	ck_assert_int_eq(bytes[size], '\0');
	free(bytes);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("scenario");
	TCase *errors = tcase_create("errors"), *bytes = tcase_create("bytes");
	const TTest *const items[] = {nothing, a_rule,
		a_byte_order_mark_is_skipped, the_first_fault_is_noted,
		rules_and_expectations_have_a_place, rules_of_all_kinds,
		expectations, conditions, ranks_and_fields, queues,
		a_queue_without_conditions, many_rules,
		files_are_relative_to_the_scenario, NULL};

	tcase_add_loop_test(errors, what_is_wrong_is_named, 0, COUNT(wrong));
	tcase_add_loop_test(errors, a_mistake_is_told_of_its_directive, 0,
		COUNT(unfit));
	tcase_add_test(errors, lines_have_no_nul);
	tcase_add_test(errors, errors_are_short);
	rt_test_case(suite, errors);
	rt_test_list(suite, "items", items);
	tcase_add_loop_test(bytes, bytes_of_a_line, 0, COUNT(lines));
	rt_test_case(suite, bytes);
	return rt_test_run(suite);
}
