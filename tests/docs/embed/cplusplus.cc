// SPDX-License-Identifier: MIT
// user.c tested from C++17. The macros that take designated fields are C's
// alone; here a struct is filled, and the function beneath is called.
#include <retort.h>

#include <cstdint>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

#include "user.h"

class Server
{
      public:
	Server() : server(retort_start(nullptr, error), retort_close)
	{
		if (!server)
			throw std::runtime_error(error);
	}
	std::string url() const
	{
		return retort_url(server.get(), 0);
	}
	void on(const retort_reply &rule)
	{
		retort_reply mine = rule;
		mine.server = server.get();
		if (retort_on_sized(&mine, sizeof mine) < 0)
			throw std::runtime_error(verdict());
	}
	void expect(std::size_t times, const char *request)
	{
		retort_requests when{};
		when.server = server.get();
		when.request = request;
		when.times = times;
		if (retort_expect_sized(&when, sizeof when) < 0)
			throw std::runtime_error(verdict());
	}
	void refuse()
	{
		retort_refuse(server.get(), true);
	}
	const retort_exchange *record(std::size_t n) const
	{
		return retort_record(server.get(), n);
	}
	std::string verdict() const
	{
		return retort_verdict(server.get());
	}

      private:
	char error[RETORT_ERROR_SIZE] = "";
	std::unique_ptr<struct retort, decltype(&retort_close)> server;
};

static void
check(bool holds, const char *what)
{
	if (!holds)
		throw std::runtime_error(what);
}

static void
test(Server &server)
{
	user bob{};
	retort_reply busy{}, made{}, cut{};

	busy.request = "POST /users";
	busy.status = 503;
	busy.times = 1;
	server.on(busy);
	made.request = "POST /users";
	made.status = 201;
	made.body = "{\"id\":7,\"name\":\"Bob\"}";
	server.on(made);
	cut.request = "GET /users/7";
	cut.fields = "Content-Length: 100";
	cut.body = "{\"id\":7,";
	server.on(cut);
	server.expect(2, "POST /users");
	server.expect(1, "GET /users/7");

	const auto created = create_user(server.url().c_str(), "Bob", &bob);
	const auto fetched = fetch_user(server.url().c_str(), 7, &bob);
	check(server.verdict().empty(), server.verdict().c_str());
	check(created == USER_OK && bob.id == 7, "creates at the second try");
	check(fetched == USER_BROKEN, "sees a reply that is cut off");
	check(std::string(retort_field_of(server.record(2), "Content-Type",
		      0)) == "application/json",
		"sends JSON");

	server.refuse();
	check(fetch_user(server.url().c_str(), 7, &bob) == USER_UNREACHABLE,
		"sees a refused connection");
}

int
main()
{
	try {
		Server server;
		test(server);
	} catch (const std::exception &error) {
		std::cerr << error.what() << '\n';
		return 1;
	}
}
