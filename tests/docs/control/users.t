#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# A test in Perl, with nothing but its library: prove users.t

use strict;
use warnings;
use HTTP::Tiny;
use IPC::Open2;
use Test::More tests => 3;

my $pid = open2(my $answers, my $commands, 'retort', '--control', '-');
chomp(my $url = <$answers>);

sub ask {
    my ($command) = @_;
    print {$commands} "$command\n";
    my ($answer, $count) = split ' ', <$answers>;
    my $text = join '', map { scalar <$answers> } 1 .. $count;
    is($answer, 'ok', (split /\n/, $command)[0]) or diag $text;
}

ask(<<'END');
rules
@on GET /users/1
HTTP/1.1 200 OK

Ada
@expect 1 GET /users/1
.
END
is(HTTP::Tiny->new->get("${url}users/1")->{content}, 'Ada', 'the name');
ask('verdict');

close $commands;    # ends it
waitpid $pid, 0;
