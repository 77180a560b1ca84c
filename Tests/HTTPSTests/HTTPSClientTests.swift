import Foundation
import HTTPS
import Testing

/// The system's libcurl, asked through ``HTTPSClient``, before a real TLS server.
struct HTTPSClientTests {
    private static let limits = HTTPSClient.Limits(
        connectSeconds: 10,
        totalSeconds: 20,
        bodyOctets: 1_000
    )

    private static func answer(
        _ body: String,
        status: String = "200 OK",
        headers: [String] = []
    ) -> String {
        (["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"] + headers + ["", body])
            .joined(separator: "\r\n")
    }

    /// What a client gets from a server that answers each request like this.
    private static func response(
        to request: @escaping @Sendable (HTTPSTestServer) -> HTTPSRequest,
        answer: String,
        closes: Bool = false,
        limits: HTTPSClient.Limits = HTTPSClientTests.limits,
        trusts: Bool = true
    ) async throws -> (Result<HTTPSResponse, HTTPSError>, requests: [String]) {
        let server = try await HTTPSTestServer(answer: answer, closes: closes)
        let client = HTTPSClient(caFile: trusts ? server.caFile : nil, limits: limits)
        var result: Result<HTTPSResponse, HTTPSError>
        do throws(HTTPSError) {
            result = .success(try await client.send(request(server)))
        } catch {
            result = .failure(error)
        }
        client.shutDown()
        await server.stop()
        return (result, server.requests.all)
    }

    @Test func `a POST sends its fields and its body, and reads the answer's`() async throws {
        let (result, requests) = try await Self.response(
            to: {
                HTTPSRequest(
                    url: $0.url,
                    headers: [("Authorization", "Bearer x"), ("Content-Type", "application/json")],
                    body: Array("{\"a\": 1}".utf8)
                )
            },
            answer: Self.answer(
                "body",
                status: "429 Too Many Requests",
                headers: ["Retry-After: 120", "X-Empty:", "retry-after: 7"]
            )
        )
        let response = try result.get()
        #expect(response.status == 429)
        #expect(response.body == Array("body".utf8))
        #expect(response.header("RETRY-AFTER") == "120")
        #expect(response.header("x-empty") == "")
        #expect(response.header("Location") == nil)
        let request = try #require(requests.first)
        #expect(request.hasPrefix("POST /path HTTP/1.1\r\n"))
        #expect(request.contains("\r\nAuthorization: Bearer x\r\n"))
        #expect(request.contains("\r\nContent-Type: application/json\r\n"))
        #expect(request.contains("\r\nContent-Length: 8\r\n"))
        #expect(!request.contains("Expect"))
        #expect(request.hasSuffix("\r\n\r\n{\"a\": 1}"))
    }

    @Test func `a request without a body is a GET, and one with an empty body a POST`()
        async throws
    {
        let (_, gets) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: Self.answer("")
        )
        #expect(gets.first?.hasPrefix("GET /path ") == true)
        let (_, posts) = try await Self.response(
            to: { HTTPSRequest(url: $0.url, body: []) },
            answer: Self.answer("")
        )
        #expect(posts.first?.hasPrefix("POST /path ") == true)
        #expect(posts.first?.contains("\r\nContent-Length: 0\r\n") == true)
    }

    @Test func `a redirection is told, and not followed`() async throws {
        let (result, requests) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: Self.answer("", status: "302 Found", headers: ["Location: https://evil.test/"])
        )
        #expect(try result.get().status == 302)
        #expect(try result.get().header("Location") == "https://evil.test/")
        #expect(requests.count == 1)
    }

    @Test func `fields of an answer before the last one do not count`() async throws {
        let (result, _) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + Self.answer("body")
        )
        #expect(try result.get().status == 200)
        #expect(try result.get().header("Link") == nil)
    }

    @Test func `a server whose certificate nobody trusts gets no request`() async throws {
        let (result, requests) = try await Self.response(
            to: { HTTPSRequest(url: $0.url, headers: [("Authorization", "Bearer x")]) },
            answer: Self.answer(""),
            trusts: false
        )
        #expect(throws: HTTPSError.self) { try result.get() }
        #expect(requests == [])
    }

    @Test func `a server with a certificate for another name gets no request`() async throws {
        let (result, requests) = try await Self.response(
            to: {
                HTTPSRequest(
                    url: $0.url.replacingOccurrences(of: "localhost", with: "127.0.0.1")
                )
            },
            answer: Self.answer("")
        )
        #expect(throws: HTTPSError.self) { try result.get() }
        #expect(requests == [])
    }

    @Test func `only https is asked`() async throws {
        let (result, requests) = try await Self.response(
            to: {
                HTTPSRequest(url: $0.url.replacingOccurrences(of: "https", with: "http"))
            },
            answer: Self.answer("")
        )
        #expect(throws: HTTPSError.self) { try result.get() }
        #expect(requests == [])
        let file = try await Self.response(
            to: { _ in HTTPSRequest(url: "file:///etc/passwd") },
            answer: Self.answer("")
        )
        #expect(throws: HTTPSError.self) { try file.0.get() }
    }

    @Test(arguments: [("X", "a\r\nY: b"), ("X\nY", "a"), ("X", "a\0b")])
    func `a field that would begin another one is refused`(
        name: String,
        value: String
    )
        async throws
    {
        let (result, requests) = try await Self.response(
            to: { HTTPSRequest(url: $0.url, headers: [(name, value)]) },
            answer: Self.answer("")
        )
        #expect(throws: HTTPSError.self) { try result.get() }
        #expect(requests == [])
    }

    @Test(arguments: [(1_000, true), (1_001, false)])
    func `a body as long as the limit is read, and a longer one ends the request`(
        octets: Int,
        isRead: Bool
    ) async throws {
        let (result, _) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: Self.answer(String(repeating: "x", count: octets))
        )
        guard isRead else {
            #expect(
                result
                    == .failure(
                        HTTPSError("the response is longer than 1000 octets")
                    )
            )
            return
        }
        #expect(try result.get().body.count == octets)
    }

    @Test func `an answer that is cut at any octet is no answer`() async throws {
        let answer = Self.answer("a body", headers: ["X: y"])
        for count in stride(from: 0, to: answer.utf8.count, by: 3) {
            let (result, _) = try await Self.response(
                to: { HTTPSRequest(url: $0.url) },
                answer: String(decoding: answer.utf8.prefix(count), as: UTF8.self),
                closes: true
            )
            #expect(throws: HTTPSError.self, "cut behind \(count) octets") { try result.get() }
        }
    }

    @Test func `a server that does not answer is given up`() async throws {
        let (result, requests) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: "",
            limits: HTTPSClient.Limits(connectSeconds: 10, totalSeconds: 1, bodyOctets: 1_000)
        )
        #expect(throws: HTTPSError.self) { try result.get() }
        #expect(requests.count == 1)
    }

    @Test func `one connection serves requests one after the other`() async throws {
        let server = try await HTTPSTestServer(answer: Self.answer("x"), closes: false)
        let client = HTTPSClient(caFile: server.caFile, limits: Self.limits)
        // libcurl does not use a connection again that had nothing to do for 118 seconds, which a
        // test may wait for its turn.
        var pauses = 0
        var last = ContinuousClock.now
        for _ in 1...5 {
            #expect(try await client.send(HTTPSRequest(url: server.url)).status == 200)
            if last.duration(to: .now) > .seconds(100) { pauses += 1 }
            last = .now
        }
        #expect((1...(1 + pauses)).contains(server.connections.all.count))
        client.shutDown()
        await server.stop()
    }

    @Test func `many requests at once are all answered, and none after the end`() async throws {
        let server = try await HTTPSTestServer(answer: Self.answer("x"), closes: false)
        let client = HTTPSClient(caFile: server.caFile, limits: Self.limits)
        let url = server.url
        let answered = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...50 {
                group.addTask { try await client.send(HTTPSRequest(url: url)).status }
            }
            return try await group.reduce(into: 0) { $0 += $1 == 200 ? 1 : 0 }
        }
        #expect(answered == 50)
        #expect((1...4).contains(server.connections.all.count))
        client.shutDown()
        client.shutDown()
        await #expect(throws: HTTPSError("the HTTPS client is shut down")) {
            try await client.send(HTTPSRequest(url: url))
        }
        await server.stop()
    }

    @Test(.timeLimit(.minutes(20)))
    func `a shutdown aborts requests in flight and fails those that wait`() async throws {
        let server = try await HTTPSTestServer(answer: "", closes: false)
        let limits = HTTPSClient.Limits(
            connectSeconds: 300,
            totalSeconds: 300,
            bodyOctets: 1_000
        )
        let client = HTTPSClient(caFile: server.caFile, limits: limits)
        let url = server.url
        let answers = (1...6).map { _ in
            Task { () -> HTTPSError? in
                do throws(HTTPSError) {
                    _ = try await client.send(HTTPSRequest(url: url))
                    return nil
                } catch {
                    return error
                }
            }
        }
        while server.requests.all.count < 4 { try await Task.sleep(for: .milliseconds(20)) }
        client.shutDown()
        await client.threadsEnded()
        for answer in answers {
            #expect(await answer.value == HTTPSError("the HTTPS client is shut down"))
        }
        await server.stop()
    }

    @Test(arguments: [(60_000, true), (70_000, false)])
    func `header lines up to the limit are read, and longer ones end the request`(
        octets: Int,
        isRead: Bool
    ) async throws {
        let line = "X: " + String(repeating: "x", count: 997)
        let (result, _) = try await Self.response(
            to: { HTTPSRequest(url: $0.url) },
            answer: Self.answer("", headers: Array(repeating: line, count: octets / 1_000))
        )
        guard isRead else {
            let error = HTTPSError("the response's header is longer than 65536 octets")
            #expect(result == .failure(error))
            return
        }
        #expect(try result.get().headers.count == 1 + octets / 1_000)
    }
}
