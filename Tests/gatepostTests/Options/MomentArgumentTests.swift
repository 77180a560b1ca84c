import Access
import Testing

@testable import gatepost

/// Days and moments in arguments, in UTC.
@Suite struct MomentArgumentTests {
    @Test(arguments: [
        ("1970-01-01", true, 86_400), ("1970-01-01", false, 0), ("2026-11-30", true, 1_796_083_200),
        ("2026-11-30", false, 1_795_996_800), ("2024-02-29", false, 1_709_164_800),
        ("1970-01-01T00:00:00Z", true, 0), ("1970-01-01T00:00:00Z", false, 0),
        ("2026-11-30T12:00:00Z", true, 1_796_040_000),
        ("2026-11-30T12:00:00+01:00", false, 1_796_036_400),
    ])
    func `a day is its beginning or its end, and a moment is itself`(
        text: String,
        isEnd: Bool,
        seconds: Int64
    ) throws {
        #expect(try Moment.argument(text, isEnd: isEnd).seconds == seconds)
    }

    @Test(arguments: [
        "", "tomorrow", "30.11.2026", "2026-13-01", "2026-02-30", "2026-11-30T25:00:00Z",
        "2026-11-30 12:00", "2026/11/30", "20261130T120000",
    ])
    func `what is neither is refused with both forms`(text: String) {
        let error = #expect(throws: Failure.self) { try Moment.argument(text) }
        #expect(
            error?.description == "\(text) is not a date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ"
        )
    }
}
