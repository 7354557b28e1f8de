// SPDX-License-Identifier: MIT
// user.c tested with GoogleTest: a server for each test, whose verdict is asked
// for when it is torn down.
#include <gtest/gtest.h>
#include <retort.h>

#include <cstdlib>

#include "user.h"

using reply = retort_reply;
using requests = retort_requests;

class Users : public testing::Test
{
      protected:
	void SetUp() override
	{
		ASSERT_NE(server, nullptr);
	}
	void TearDown() override
	{
		char *wrong = nullptr;

		if (server == nullptr)
			return;
		EXPECT_TRUE(retort_done(server, &wrong)) << wrong;
		std::free(wrong);
	}

	struct retort *server = retort_start();
	struct user got = {};
};

TEST_F(Users, Fetches)
{
	retort_on(server, "GET /users/1", &reply::type, "application/json",
		&reply::body, "{\"id\":1,\"name\":\"Ada\"}");
	retort_expect(server, "GET /users/1", &requests::times, 1);

	EXPECT_EQ(fetch_user(retort_url(server), 1, &got), USER_OK);
	EXPECT_STREQ(got.name, "Ada");
}

TEST_F(Users, TriesAgain)
{
	retort_on(server, "POST /users", &reply::status, 503, &reply::times, 1);
	retort_on(server, "POST /users", &reply::status, 201, &reply::body,
		"{\"id\":7,\"name\":\"Bob\"}");
	retort_expect(server, "POST /users", &requests::times, 2,
		&requests::if_body, "{\"name\":\"Bob\"}");

	EXPECT_EQ(create_user(retort_url(server), "Bob", &got), USER_OK);
	EXPECT_EQ(got.id, 7);
}

TEST_F(Users, SeesAReplyThatIsCutOff)
{
	retort_on(server, "GET /users/1", &reply::body, "{\"id\":1,",
		&reply::faults, "cut body 3 reset");

	EXPECT_EQ(fetch_user(retort_url(server), 1, &got), USER_BROKEN);
}

TEST_F(Users, SeesARefusedConnection)
{
	retort_refuse(server, true);
	EXPECT_EQ(fetch_user(retort_url(server), 1, &got), USER_UNREACHABLE);
}

int
main(int argc, char **argv)
{
	testing::InitGoogleTest(&argc, argv);
	return RUN_ALL_TESTS();
}
