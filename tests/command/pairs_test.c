/* SPDX-License-Identifier: MIT */
/*
 * Options of the command, two by two: either both are obeyed, or the command
 * line is refused. What goes together is what belongs to one way to answer.
 */
#include "config.h"

#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Ways to answer: (c)anned, (r)aw, (e)cho, (f)iles, a (s)cenario alone; an echo
 * by (t)cp or (u)dp, an answer by (T)cp or (U)dp.
 */
#define ANY "crefstTuU"
#define HTTP "crefs"
#ifdef RT_OPENSSL
#define TLS HTTP "tT"
#else
#define TLS "" /* refused, whatever it stands with */
#endif

static const struct {
	const char *name;
	const char *args; /* and what it needs */
	const char *ways;
} options[] = {
	{"status", "--status 404", "c"},
	{"body", "--body x", "cTU"},
	{"type", "--type a/b", "c"},
	{"fill", "--body x --fill", "cTU"},
	{"raw", "--raw $DIR/reply", "r"},
	{"echo", "--echo", "etu"},
	{"ROOT", "$DIR", "f"},
	{"mime", "--mime md=a/b", "f"},
	{"dotfiles", "--dotfiles", "f"},
	{"no-listing", "--no-listing", "f"},
	{"precompressed", "--precompressed", "f"},
	{"spa", "--spa index.html $DIR", "f"},
	{"html", "--html", "f"},
	{"follow-links", "--follow-links", "f"},
	{"prefix", "--prefix /p", "f"},
	{"header", "--header a:b", "cefs"},
	{"host", "--host a", HTTP},
	{"proxy-protocol", "--proxy-protocol", HTTP},
	{"limit", "--limit target=9,body=9", HTTP},
	{"limit", "--limit head=9k,fields=9", HTTP},
	{"timeout", "--timeout 5", HTTP "tT"},
	{"timeout", "--timeout reply=5", HTTP "tT"},
	{"timeout", "--timeout head=5", HTTP},
	{"timeout", "--timeout body=5,head=5", HTTP},
	{"keep-alive", "--keep-alive", HTTP},
	{"tls", "--tls", TLS},
	{"tls-later", "--tls-later --scenario $DIR/s.retort", TLS},
	{"tls-ca", "--tls --tls-ca $DIR/ca", TLS},
	{"tls-cert", "--tls --tls-cert $DIR/cert --tls-key $DIR/key", TLS},
	{"tls-key", "--tls --tls-key $DIR/key --tls-cert $DIR/cert", TLS},
	{"tls-cert-fault", "--tls --tls-cert-fault expired", TLS},
	{"tls-certs", "--tls-certs", ""}, /* with sweep alone */
	{"at", "--at head", ""},
	{"jobs", "--jobs 1", ""},
	{"report", "--report r.html", ""},
	{"progress", "--progress", ""},
	{"no-progress", "--no-progress", ""},
	{"tls-min", "--tls --tls-min 1.2", TLS},
	{"tls-max", "--tls --tls-max 1.2", TLS},
	{"tls-client", "--tls --tls-client wanted", TLS},
	{"tls-client-ca", "--tls --tls-client wanted --tls-client-ca $DIR/cert",
		TLS},
	{"tls-fault", "--tls --tls-fault cut\twire\t5", TLS},
	{"tls-keylog", "--tls --tls-keylog $DIR/keys", TLS},
	{"tcp", "--tcp", "tT"},
	{"udp", "--udp", "uU"},
	{"body", "--tcp --body x", "T"},
	{"body", "--udp --body x", "U"},
	{"lines", "--tcp --lines", "tT"},
	{"framing", "--tcp --framing mqtt", "tT"},
	{"prompt", "--tcp --prompt", "T"},
	{"prompt", "--udp --prompt", "U"},
	{"timeout", "--tcp --timeout idle=1,reply=1", "tT"},
	{"scenario", "--scenario $DIR/s.retort", ANY},
	{"reload", "--scenario $DIR/s.retort --reload", ANY},
	{"fault", "--body x --fault each?1", "cT"},
	{"fault", "--fault each?1 $DIR", "f"},
	{"fault", "--echo --tcp --fault each?1", "t"},
	{"seed", "--seed 1", ANY},
	{"transcript", "--transcript $DIR/t", ANY},
	{"inspect", "--inspect", HTTP},
	{"no-sandbox", "--no-sandbox", ANY},
	{"verbose", "--verbose", ANY},
	{"quiet", "--quiet", ANY},
	{"log", "--log json", ANY},
	{"port", "--port 0", ANY},
	{"bind", "--bind 127.0.0.1", ANY},
	{"port-file", "--port-file $DIR/port", ANY},
	{"requests", "--requests 1", ANY},
	{"lifetime", "--lifetime 0", ANY},
	{"with-parent", "--with-parent", ANY},
	{"control", "--control $DIR/control", ANY},
	{"grace", "--grace 1", ANY},
	{"delay", "--body x --delay 1ms", "cTU"},
	{"cors", "--cors", "cefs"},
};

static bool
is(size_t i, const char *name)
{
	return strcmp(options[i].name, name) == 0;
}

/* It names a ROOT. */
static bool
has_root(size_t i)
{
	const char *root = strstr(options[i].args, "$DIR");

	return root != NULL && root[4] == '\0';
}

/* A scenario excludes it. */
static bool
answers(size_t i)
{
	static const char *const names[] = {"status", "body", "type", "raw",
		"fault", "delay", "fill"};

	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (is(i, names[k]))
			return true;
	return has_root(i) || strstr(options[i].args, "--tcp") ||
		strstr(options[i].args, "--udp") ||
		strcmp(options[i].args, "--echo") == 0;
}

static bool
has_scenario(size_t i)
{
	return is(i, "scenario") || is(i, "reload") || is(i, "control") ||
		is(i, "tls-later");
}

/* Two ways in which answers are made. */
static bool
clash(size_t i, size_t k)
{
	if (is(i, "lines") && is(k, "framing"))
		return true;
	if (is(i, "tls-cert-fault") && (is(k, "tls-cert") || is(k, "tls-key")))
		return true;
	if (is(i, "proxy-protocol") && !is(k, "tls-later") &&
		strstr(options[k].args, "--tls"))
		return true;
	if (is(i, "tls-later") && !is(k, "tls-later") &&
		strstr(options[k].args, "--tls"))
		return true;
	if (is(i, "tls-ca") && (is(k, "tls-cert") || is(k, "tls-key")))
		return true;
	return is(i, "prompt") &&
		(is(k, "fault") || is(k, "delay") ||
			strstr(options[k].args, "--body"));
}

static bool
go_together(size_t i, size_t k)
{
	if (clash(i, k) || clash(k, i))
		return false;
	if (has_root(i) && has_root(k))
		return false;
	if (has_scenario(i) && !answers(k))
		return strchr(options[k].ways, 's') != NULL;
	if (has_scenario(k) && !answers(i))
		return strchr(options[i].ways, 's') != NULL;
	return strpbrk(options[i].ways, options[k].ways) != NULL;
}

static char *dir;

/* For localhost, for a hundred years; of no use to anybody. */
static const char cert[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBlTCCATugAwIBAgIUGIdWWHwu9Lg+Zz51Hdi7Q2fTV6swCgYIKoZIzj0EAwIw\n"
	"FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyOTEyMjM1MloYDzIxMjYxMTA1\n"
	"MTIyMzUyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO\n"
	"PQMBBwNCAAQc0/gaZ931Zrm+M/WsmmAAe3u7efVPRZtC16boWSnKT/sXdVIQUPI+\n"
	"qDV+TCUG5liOiybzKIWbZIeL4R53dip2o2kwZzAdBgNVHQ4EFgQUmgQVdBxefqBK\n"
	"cLofPgL+TF5dZckwHwYDVR0jBBgwFoAUmgQVdBxefqBKcLofPgL+TF5dZckwDwYD\n"
	"VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID\n"
	"SAAwRQIgQqi1P63+36/FS317OkdNPcMe0HCDoHbnQ9Riq7384vUCIQC0E+/FZ8V/\n"
	"M6cW8tds7rD/BGslIY414nCsqRPi9lvZXQ==\n"
	"-----END CERTIFICATE-----\n";
static const char key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgHdmTIvXgdYIs+qud\n"
	"Xe8XQ9cdOrIgBiF7ip/y0LgdY4yhRANCAAQc0/gaZ931Zrm+M/WsmmAAe3u7efVP\n"
	"RZtC16boWSnKT/sXdVIQUPI+qDV+TCUG5liOiybzKIWbZIeL4R53dip2\n"
	"-----END PRIVATE KEY-----\n";

/* Splits at spaces; "$DIR" is the folder, "?" a space that is none. */
static size_t
add_args(const char **args, size_t count, char *text, const char *of)
{
	size_t used = 0;
	char *word;

	for (; *of != '\0'; of++)
		if (strncmp(of, "$DIR", 4) == 0) {
			used += (size_t)sprintf(text + used, "%s", dir);
			of += 3;
		} else {
			text[used++] = *of;
		}
	text[used] = '\0';
	for (word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
		char *space = strchr(word, '?');

		if (space != NULL)
			*space = ' ';
		args[count++] = word;
	}
	return count;
}

/* The exit status of both together. */
static int
run(size_t i, size_t k, struct bytes *errors)
{
	const char *args[24] = {"-p", "0", "--lifetime", "0", "-q"};
	char first[512], second[512];
	struct child child;
	size_t count = 5;

	count = add_args(args, count, first, options[i].args);
	count = add_args(args, count, second, options[k].args);
	args[count] = NULL;
	child = child_start(args, 0);
	bytes_add(errors, "", 0);
	return child_end_with_errors(&child, errors);
}

START_TEST(both_or_none)
{
	size_t i = (size_t)_i, step = is_sanitized() ? 7 : 1;

	dir = dir_make();
	dir_write(dir, "index.html", "x", 1);
	dir_write(dir, "reply", "HTTP/1.1 200 OK\r\n\r\n", 19);
	dir_write(dir, "s.retort", "@on\n@file index.html\n", 21);
	dir_write(dir, "cert", cert, sizeof cert - 1);
	dir_write(dir, "key", key, sizeof key - 1);
	for (size_t k = i + 1; k < COUNT(options); k += step) {
		struct bytes errors = {.data = NULL};
		int status = run(i, k, &errors);
		/* it ends before it can have answered */
		int fine = is(i, "requests") || is(k, "requests") ? 5 : 0;

		ck_assert_msg(status == (go_together(i, k) ? fine : 2),
			"%s and %s: exit status %d: %s", options[i].args,
			options[k].args, status, errors.data);
		ck_assert_msg(status != 2 ||
				strstr(errors.data, "exclude each other") ||
				strstr(errors.data, "expected ") ||
				strstr(errors.data, "needs ") ||
				strstr(errors.data, "a datagram has ") ||
				strstr(errors.data, "only one ROOT") ||
				strstr(errors.data, "without OpenSSL"),
			"%s and %s: %s", options[i].args, options[k].args,
			errors.data);
		bytes_free(&errors);
	}
	dir_remove(dir);
}
END_TEST

/* Each option of --help is one of the above, or stands for itself. */
START_TEST(every_option_is_tried)
{
	static const char *const alone[] = {"help", "version", "option"};
	const char *const args[] = {"--help", "all", NULL};
	struct child child = child_start(args, 0);
	struct bytes help = {.data = NULL};
	const char *at;

	bytes_add(&help, "", 0);
	ck_assert_int_eq(client_receive(child.out, &help), 0);
	ck_assert_int_eq(child_end(&child), 0);
	for (at = help.data; (at = strstr(at, " --")) != NULL;) {
		size_t size, i = 0, k = 0;

		at += 3;
		size = strspn(at, "abcdefghijklmnopqrstuvwxyz-");
		while (i < COUNT(options) &&
			(strlen(options[i].name) != size ||
				strncmp(options[i].name, at, size) != 0))
			i++;
		while (k < 3 &&
			(strlen(alone[k]) != size ||
				strncmp(alone[k], at, size) != 0))
			k++;
		ck_assert_msg(size == 0 || i < COUNT(options) || k < 3,
			"--%.*s: what does it go with?", (int)size, at);
	}
	bytes_free(&help);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pairs");
	TCase *tcase = tcase_create("options");

	/* hundreds of processes under valgrind */
	if (!under_valgrind())
		tcase_add_loop_test(tcase, both_or_none, 0,
			(int)COUNT(options) - 1);
	tcase_add_test(tcase, every_option_is_tried);
	rt_test_case(suite, tcase);
	return rt_test_run(suite);
}
