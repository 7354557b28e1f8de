// SPDX-License-Identifier: MIT
// user.c tested with Catch2, version 2 or 3: a server for each test, whose
// verdict is asked for at its end.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
#include <retort.h>

#include <string>

#include "user.h"

using reply = retort_reply;
using requests = retort_requests;

struct Users {
	Users()
	{
		REQUIRE(server != nullptr);
	}
	~Users()
	{
		retort_close(server);
	}
	Users(const Users &) = delete;
	Users &operator=(const Users &) = delete;

	// After the client, and before what it says is looked at.
	void verdict()
	{
		INFO(retort_verdict(server));
		REQUIRE(retort_ok(server));
	}

	struct retort *server = retort_start();
	struct user got = {};
};

TEST_CASE_METHOD(Users, "fetches")
{
	retort_on(server, "GET /users/1", &reply::type, "application/json",
		&reply::body, "{\"id\":1,\"name\":\"Ada\"}");
	retort_expect(server, "GET /users/1", &requests::times, 1);

	const auto error = fetch_user(retort_url(server), 1, &got);
	verdict();
	CHECK(error == USER_OK);
	CHECK(std::string(got.name) == "Ada");
}

TEST_CASE_METHOD(Users, "tries again")
{
	retort_on(server, "POST /users", &reply::status, 503, &reply::times, 1);
	retort_on(server, "POST /users", &reply::status, 201, &reply::body,
		"{\"id\":7,\"name\":\"Bob\"}");
	retort_expect(server, "POST /users", &requests::times, 2,
		&requests::if_body, "{\"name\":\"Bob\"}");

	const auto error = create_user(retort_url(server), "Bob", &got);
	verdict();
	CHECK(error == USER_OK);
	CHECK(got.id == 7);
}

TEST_CASE_METHOD(Users, "sees a reply that is cut off")
{
	retort_on(server, "GET /users/1", &reply::body, "{\"id\":1,",
		&reply::faults, "cut body 3 reset");

	const auto error = fetch_user(retort_url(server), 1, &got);
	verdict();
	CHECK(error == USER_BROKEN);
}

TEST_CASE_METHOD(Users, "sees a refused connection")
{
	retort_refuse(server, true);
	CHECK(fetch_user(retort_url(server), 1, &got) == USER_UNREACHABLE);
}
