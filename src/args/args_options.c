/* SPDX-License-Identifier: MIT */
/*
 * The options: a row each, in the order of --help. The command line is read by
 * this table, --help prints it, and completion.awk, which reads the text below,
 * makes the completions of the shells of it.
 */
#include "config.h"

#include "args/args_parts.h"

#include <limits.h>

/* Where its value goes. */
#define TO(member) \
	.to = offsetof(struct given, member), \
	.width = sizeof((struct given *)NULL)->member

/* clang-format off */
const struct option args_options[] = {
	{.help = "Where it listens"},
	{"port", 'p', "PORT", "8080 by default; 0 takes any free port",
		.brief = true, .read = args_read_number, TO(args.options.port), .most = 65535,
		.words = "0 8080"},
	{"bind", 'b', "ADDRESS",
		"as :8080, 127.0.0.1, [::1], 0.0.0.0, unix:PATH, fd:N",
		.many = true, .brief = true, .read = args_read_bind,
		.words = "127.0.0.1 ::1 localhost 0.0.0.0 [::] unix: fd:"},
	{"socket-mode", 0, "MODE", "of unix:PATH, such as 660",
		.read = args_read_mode, .words = "600 660 666"},
	{"host", 0, "NAME", "answer requests for this Host only",
		.many = true, .read = args_read_host, .ways = HTTP,
		.words = "localhost 127.0.0.1 [::1]", .excludes = "sweep"},

	{.help = "One reply to every request"},
	{"status", 's', "CODE", "200 by default", .ways = CANNED,
		.brief = true, .read = args_read_number, TO(args.reply.status),
		.least = 200, .most = 999,
		.words = "200 201 202 204 301 302 303 304 307 308 400 401 403 "
			"404 405 408 409 410 418 429 500 502 503 504"},
	{"body", 0, "TEXT", "or @FILE, or @- for standard input",
		.brief = true, .read = args_read_text, TO(body),
		.ways = CANNED | TCP_ANSWER | UDP_ANSWER},
	{"type", 0, "TYPE", "of the body", .ways = CANNED,
		.read = args_read_type, TO(args.reply.type),
		.words = "application/json application/octet-stream text/css "
			"text/html text/javascript text/plain"},
	{"raw", 0, "FILE", "all bytes of the reply, from its status line on",
		.brief = true, .read = args_read_text, TO(raw), .ways = RAW},
	{"echo", 0, NULL, "the request itself", .ways = ECHO | PLAIN_ECHO,
		.brief = true, .read = args_read_flag, TO(args.reply.echo)},
	{"header", 'H', "'N: V'", "set a field of all replies; 'N:' removes it",
		.many = true, .brief = true, .read = args_read_header, .ways = CANNED | ECHO | FILES | RULES,
		.words = ""},
	{"cors", 0, NULL, "pages of other sites may read the replies",
		.read = args_read_cors, .ways = CANNED | ECHO | FILES | RULES},

	{.help = "Files"},
	{"ROOT", 0, NULL, "a folder or a file", .ways = FILES},
	{"no-listing", 0, NULL, "403 for folders without index.html",
		.read = args_read_flag, TO(args.files.unlisted), .ways = FILES},
	{"dotfiles", 0, NULL, "serve names that begin with a dot",
		.read = args_read_flag, TO(args.files.dotfiles), .ways = FILES},
	{"mime", 0, "EXT=TYPE", "the type of *.EXT",
		.many = true, .read = args_read_mime, .ways = FILES, .words = ""},
	{"precompressed", 0, NULL, "send NAME.br, .zst or .gz in the place of NAME",
		.read = args_read_flag, TO(args.files.precompressed),
		.ways = FILES},
	{"spa", 0, "FILE", "the page for paths that match no file",
		.brief = true, .read = args_read_page, TO(args.files.spa), .ways = FILES},
	{"html", 0, NULL, "/about is about.html",
		.read = args_read_flag, TO(args.files.html), .ways = FILES},
	{"prefix", 0, "/PATH", "where ROOT begins: /PATH/file is ROOT/file",
		.read = args_read_path, TO(args.files.prefix), .ways = FILES,
		.words = ""},
	{"follow-links", 0, NULL, "even where they lead out of ROOT",
		.read = args_read_flag, TO(args.files.follow_links),
		.ways = FILES},

	{.help = "Plain sockets instead of HTTP"},
	{"tcp", 0, NULL, "--echo or --body answers what comes", .ways = TCP,
		.brief = true, .read = args_read_protocol, TO(args.options.protocol)},
	{"udp", 0, NULL, "the same with datagrams", .ways = UDP,
		.read = args_read_protocol, TO(args.options.protocol)},
	{"prompt", 0, NULL, "lines of standard input answer",
		.read = args_read_flag, TO(args.typed),
		.ways = TCP_ANSWER | UDP_ANSWER, .excludes = "body fault"},

	{.help = "Faults and scenarios, see retort(5)"},
	{"fault", 0, "CLAUSES", "what is wrong with each reply, as 'cut body 3 reset'",
		.many = true, .brief = true, .read = args_read_fault, .excludes = "faults replay sweep",
		.words = "add bare-lf continue corrupt cut deaf each early "
			"empty end endless fold force-body gap garbage headless "
			"insert length no-range pause rate read-slowly refuse "
			"split spread status stop-reading"},
	{"delay", 0, "TIME", "before each reply, as 250ms or 2s",
		.read = args_read_delay, .excludes = "faults replay prompt sweep",
		.words = "250ms 1s 5s"},
	{"faults", 0, "LIST", "by chance: 'rst:5%,cut:5%,503:10%,delay:20ms'",
		.read = args_read_text, TO(args.chances), .excludes = "replay sweep",
		.words = "rst:5% cut:5% stall:5% 503:10% delay:20ms"},
	{"seed", 0, "N", "the same chances each time",
		.read = args_read_number, TO(args.seed), .most = UINT64_MAX,
		.needs = "--faults LIST", .words = ""},
	{"replay", 0, "LOG", "repeat the faults of a log",
		.read = args_read_log_file, .ways = HTTP, .excludes = "sweep"},
	{"scenario", 0, "FILE", "which requests get what, and which must come",
		.brief = true, .read = args_read_scenario, .excludes = "sweep"},

	{.help = "Logs"},
	{"verbose", 'v', NULL, "show heads; -vv: bodies, too",
		.many = true, .brief = true, .read = args_read_more, TO(args.verbose), .excludes = "sweep"},
	{"log", 0, "FORMAT", "short, common, combined, json, none",
		.brief = true, .read = args_read_log, .excludes = "sweep",
		.words = "short common combined json none"},
	{"quiet", 'q', NULL, "the same as --log none", .read = args_read_quiet},
	{"transcript", 0, "DIR", "keep every byte of each connection",
		.read = args_read_text, TO(args.transcripts), .excludes = "sweep"},

	{.help = "For scripts"},
	{"port-file", 0, "FILE", "write the port there",
		.brief = true, .read = args_read_text, TO(args.port_file), .excludes = "sweep"},
	{"requests", 0, "N", "stop after N replies",
		.brief = true, .read = args_read_number, TO(args.options.requests),
		.least = 1, .most = UINT64_MAX, .excludes = "sweep", .words = ""},
	{"lifetime", 0, "TIME", "stop after this time",
		.read = args_read_time, TO(args.lifetime), .excludes = "sweep",
		.words = ""},
	{"with-parent", 0, NULL, "stop when the parent process ends",
		.read = args_read_flag, TO(args.with_parent),
		.excludes = "run sweep"},
	{"grace", 0, "TIME", "let replies finish for so long when it stops (1)",
		.read = args_read_time, TO(args.grace), .excludes = "sweep",
		.words = ""},

	{.help = "Limits"},
	{"timeout", 0, "TIME", "of clients, or head=10,body=30,reply=600,idle=600",
		.brief = true, .read = args_read_timeout, .ways = HTTP | TCP,
		.words = "head= body= reply= idle="},
	{"timeout head", .part = true, .ways = HTTP,
		.read = args_read_time, TO(args.options.head_timeout)},
	{"timeout body", .part = true, .ways = HTTP,
		.read = args_read_time, TO(args.options.body_timeout)},
	{"timeout reply", .part = true, .ways = HTTP | TCP,
		.read = args_read_time, TO(args.options.write_timeout)},
	{"timeout idle", .part = true, .ways = TCP,
		.read = args_read_time, TO(args.options.idle_timeout)},
	{"limit", 0, "LIST", "of requests: target=8k,head=64k,fields=100,body=none",
		.read = args_read_parts, .ways = HTTP,
		.words = "target= head= fields= body="},
	{"limit target", .part = true, .ways = HTTP,
		.read = args_read_size, TO(args.options.max_target),
		.least = 1, .most = 8 << 20},
	{"limit head", .part = true, .ways = HTTP,
		.read = args_read_size, TO(args.options.max_head),
		.least = 1, .most = 16 << 20},
	{"limit fields", .part = true, .ways = HTTP,
		.read = args_read_number, TO(args.options.max_fields),
		.least = 1, .most = 1000},
	{"limit body", .part = true, .ways = HTTP,
		.read = args_read_body_limit, TO(args.options.max_body),
		.least = 1, .most = UINT64_MAX},

	{.help = "Other options"},
	{"help", 'h', NULL, "the options above; --help all: every one of them", .brief = true, .read = args_read_help},
	{"version", 'V', NULL, "of this program", .brief = true, .read = args_read_version},
	{.name = NULL},
};
/* clang-format on */
