import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL

/// HTTPS to Microsoft.
final class MicrosoftHTTPClient: Sendable {
    struct Answer: Sendable {
        var status: Int
        /// Seconds; what `Retry-After` says (RFC 9110 §10.2.3).
        var retryAfter: Int?
        /// Where a redirection leads, which is not followed.
        var location: String?
        var body: Data
    }

    private static let timeout = TimeAmount.seconds(60)
    /// Members of a large group and lists of folders need some MiB.
    private static let maximumAnswerOctets = 64 * 1_024 * 1_024

    private let client: HTTPClient

    init(caFile: String?) {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.timeout.connect = .seconds(15)
        if let caFile {
            configuration.tlsConfiguration = .makeClientConfiguration()
            configuration.tlsConfiguration?.trustRoots = .file(caFile)
        }
        self.client = HTTPClient(
            eventLoopGroupProvider: .singleton,
            configuration: configuration
        )
    }

    func post(
        _ url: String,
        headers: [(String, String)],
        body: String
    ) async throws(OnlineError) -> Answer {
        do {
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            request.body = .bytes(ByteBuffer(string: body))
            let response = try await self.client.execute(request, timeout: Self.timeout)
            let buffer = try await response.body.collect(upTo: Self.maximumAnswerOctets)
            return Answer(
                status: Int(response.status.code),
                retryAfter: response.headers.first(name: "Retry-After").flatMap {
                    Self.seconds($0, now: Date())
                },
                location: response.headers.first(name: "Location"),
                body: Data(buffer.readableBytesView)
            )
        } catch {
            let host = URL(string: url)?.host ?? url
            throw OnlineError(
                "\(host) cannot be reached (\(error)): check firewall and proxy",
                isPassing: true
            )
        }
    }

    /// `120`, or `Fri, 31 Dec 1999 23:59:59 GMT` (RFC 9110 §10.2.3); nil for what is neither.
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

    func shutdown() async {
        try? await self.client.shutdown()
    }
}
