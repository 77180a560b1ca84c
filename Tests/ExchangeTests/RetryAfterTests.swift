import Foundation
import Testing

@testable import Exchange

/// `Retry-After` (RFC 9110 §10.2.3).
@Suite struct RetryAfterTests {
    @Test(arguments: [
        ("120", 120), ("0", 0), ("-5", -5), ("Sun, 06 Nov 1994 08:49:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:51:07 GMT", 30), ("", nil), ("soon", nil), ("1.5", nil),
        ("99999999999999999999", nil), ("Sun, 06 Nov 1994 08:51:07 +0100", nil),
    ])
    func `Retry-After is read as seconds or as a date`(_ text: String, _ seconds: Int?) throws {
        let now = try #require(
            ISO8601DateFormatter().date(from: "1994-11-06T08:50:37Z")
        )
        #expect(MicrosoftHTTPClient.seconds(text, now: now) == seconds)
    }

    @Test func `a date in the far future is a number of seconds`() throws {
        let seconds = MicrosoftHTTPClient.seconds(
            "Fri, 31 Dec 9999 23:59:59 GMT",
            now: Date(timeIntervalSince1970: 0)
        )
        #expect(try #require(seconds) > 86_400)
    }

    @Test(arguments: [
        (0, 3, 0), (1, 3, 1), (-5, 1, 0), (3_600, 1, 3_600), (Int.max, 1, 86_400), (nil, 1, 2),
        (nil, 3, 8), (nil, 20, 64),
    ])
    func `a client waits for the time that the server states, or longer each time`(
        stated: Int?,
        tries: Int,
        seconds: Int
    ) {
        let wait = AdminTransport.wait(stated, tries: tries)
        #expect(wait >= .seconds(seconds) && wait <= .seconds(seconds) * 1.25)
    }
}
