// SPDX-License-Identifier: MIT
// user.c tested from C++17: members come in pairs, each with its value.
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
	Server()
	    : server(retort_start(&retort_options::error, error), retort_close)
	{
		if (!server)
			throw std::runtime_error(error);
	}
	std::string url() const
	{
		return retort_url(server.get());
	}
	template <class... Members>
	void on(const char *request, Members... members)
	{
		if (retort_on(server.get(), request, members...) < 0)
			throw std::runtime_error(verdict());
	}
	void expect(std::size_t times, const char *request)
	{
		if (retort_expect(server.get(), request,
			    &retort_requests::times, times) < 0)
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
	using reply = retort_reply;
	user bob{};

	server.on("POST /users", &reply::status, 503, &reply::times, 1);
	server.on("POST /users", &reply::status, 201, &reply::body,
		"{\"id\":7,\"name\":\"Bob\"}");
	server.on("GET /users/7", &reply::fields, "Content-Length: 100",
		&reply::body, "{\"id\":7,");
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
