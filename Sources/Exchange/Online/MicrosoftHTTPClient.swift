import Foundation
import HTTPS

/// The HTTPS client for Microsoft's servers.
final class MicrosoftHTTPClient: Sendable {
    /// A response.
    struct Answer: Sendable {
        var status: Int
        /// The seconds of `Retry-After` (RFC 9110 §10.2.3).
        var retryAfter: Int?
        /// The target of a redirection, which is not followed.
        var location: String?
        var body: Data
    }

    private static let limits = HTTPSClient.Limits(
        connectSeconds: 15,
        totalSeconds: 60,
        // The members of a large group and the list of folders take some MiB.
        bodyOctets: 64 * 1_024 * 1_024
    )

    private let client: HTTPSClient

    init(caFile: String?) {
        self.client = HTTPSClient(caFile: caFile, limits: Self.limits)
    }

    /// Sends a POST request.
    /// - Throws: ``OnlineError`` if no complete response arrived.
    func post(
        _ url: String,
        headers: [(name: String, value: String)],
        body: String
    ) async throws(OnlineError) -> Answer {
        do {
            let response = try await self.client.send(
                HTTPSRequest(url: url, headers: headers, body: Array(body.utf8))
            )
            return Answer(
                status: response.status,
                retryAfter: response.header("Retry-After").flatMap {
                    Self.seconds($0, now: Date())
                },
                location: response.header("Location"),
                body: Data(response.body)
            )
        } catch {
            let host = URL(string: url)?.host ?? url
            throw OnlineError(
                "\(host) cannot be reached (\(error)): check firewall and proxy",
                isPassing: true
            )
        }
    }

    /// The seconds of `120` or `Fri, 31 Dec 1999 23:59:59 GMT` (RFC 9110 §10.2.3); nil for other
    /// texts.
    static func seconds(_ retryAfter: String, now: Date) -> Int? {
        if let seconds = Int(retryAfter) { return seconds }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: retryAfter).flatMap {
            Int(exactly: max($0.timeIntervalSince(now), 0).rounded(.up))
        }
    }

    /// Aborts the requests in flight and returns at once.
    func shutdown() {
        self.client.shutDown()
    }

    /// Waits, after ``shutdown()``, until every request is answered.
    func requestsEnded() async {
        await self.client.threadsEnded()
    }
}
