/* SPDX-License-Identifier: MIT */
/* Loads OpenSSL when somebody asks for TLS, so that nobody else waits for it.
   What is loaded belongs to the server, as the library keeps no globals. */
#include "config.h"

#include "tls/tls_parts.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/error.h"

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* The version of the headers that this was built with. */
#ifdef __APPLE__
#define NAME(lib) lib "." TEXT(OPENSSL_SHLIB_VERSION) ".dylib"
#else
#define NAME(lib) lib ".so." TEXT(OPENSSL_SHLIB_VERSION)
#endif

struct function {
	const char *name;
	size_t at; /* of struct rt_openssl */
};

#define ROW(name) {#name, offsetof(struct rt_openssl, name)},
static const struct function of_libssl[] = {RT_TLS_LIBSSL(ROW)};
static const struct function of_libcrypto[] = {RT_TLS_LIBCRYPTO(ROW)};

static int
fail(const char *member, char *error)
{
	const char *why = dlerror();

	return rt_fail(error, -ENOTSUP, "%s: cannot load OpenSSL: %s", member,
		why ? why : "unknown");
}

/* ISO C has no pointer for both functions and data. */
_Static_assert(sizeof(void *) == sizeof(void (*)(void)),
	"dlsym(3) returns functions");

static int
find_all(struct rt_openssl *ssl, void *lib, const struct function *functions,
	size_t count, const char *member, char *error)
{
	for (size_t i = 0; i < count; i++) {
		void *found = dlsym(lib, functions[i].name);

		if (found == NULL)
			return fail(member, error);
		memcpy((char *)ssl + functions[i].at, &found, sizeof found);
	}
	return 0;
}

int
rt_openssl_load(struct rt_openssl *ssl, const char *member, char *error)
{
	int code;

	ssl->libcrypto = dlopen(NAME("libcrypto"), RTLD_NOW | RTLD_LOCAL);
	ssl->libssl = ssl->libcrypto == NULL ?
		NULL :
		dlopen(NAME("libssl"), RTLD_NOW | RTLD_LOCAL);
	if (ssl->libssl == NULL)
		return fail(member, error);
	code = find_all(ssl, ssl->libssl, of_libssl,
		sizeof of_libssl / sizeof *of_libssl, member, error);
	if (code < 0)
		return code;
	return find_all(ssl, ssl->libcrypto, of_libcrypto,
		sizeof of_libcrypto / sizeof *of_libcrypto, member, error);
}

void
rt_openssl_unload(struct rt_openssl *ssl)
{
	if (ssl->libssl != NULL)
		(void)dlclose(ssl->libssl);
	if (ssl->libcrypto != NULL)
		(void)dlclose(ssl->libcrypto);
}

struct rt_tls *
rt_openssl_owner(const SSL *connection)
{
	/* a callback is not told what was loaded: find it once more */
	void *libssl = dlopen(NAME("libssl"), RTLD_NOW | RTLD_NOLOAD);
	void *found = libssl ? dlsym(libssl, "SSL_get_ex_data") : NULL;
	__typeof__(SSL_get_ex_data) *get;
	struct rt_tls *tls = NULL;

	if (found != NULL) {
		memcpy(&get, &found, sizeof found);
		tls = get(connection, 0);
	}
	if (libssl != NULL)
		(void)dlclose(libssl);
	return tls;
}

const char *
rt_openssl_why(const struct rt_openssl *ssl)
{
	/* the first: those after it say where it was noticed */
	unsigned long error = ssl->ERR_peek_error();
	const char *why = ERR_SYSTEM_ERROR(error) ?
		strerror(ERR_GET_REASON(error)) :
		ssl->ERR_reason_error_string(error);

	return why ? why : "it says no more";
}
