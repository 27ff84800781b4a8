"""The commands on bookings."""

ADD = ("book", "add", "text", "--at", "2026-03-02T09:00[Europe/Berlin]", "--minutes", "90")


def test_a_booking_is_made_listed_and_given_back(desk):
    said = desk.ok(*ADD, "--config", "falcon-config", "--owner", "ann")
    [booking] = desk.json("book", "ls")
    assert said == (
        f"text: booked 1 h 30 min from 2026-03-02 08:00:00 UTC for ann ({booking['id']})\n"
    )
    listed = desk.ok("book", "ls")
    for word in (booking["id"], "text", "2026-03-02 08:00:00 UTC", "1 h 30 min", "ann"):
        assert word in listed
    assert desk.ok("book", "rm", booking["id"]) == f"{booking['id']}: given back\n"
    assert "Nothing is booked" in desk.run("book", "ls").stderr


def test_what_is_left_out_is_the_leases(desk):
    desk.world.add("text")
    assert "for ann" in desk.ok(*ADD)


def test_an_instant_without_its_zone_is_told_without_asking_the_server(desk):
    line = desk.error("book", "add", "text", "--at", "2026-03-02T09:00", "-m", "90")
    assert "--at '2026-03-02T09:00' names no time zone" in line
    assert "2026-11-23T09:00[Europe/Berlin]" in line


def test_without_a_lease_a_config_is_asked_for(desk):
    assert "has no lease that names one" in desk.error(*ADD)
