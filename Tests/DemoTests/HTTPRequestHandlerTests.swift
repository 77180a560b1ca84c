import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Demo

/// Requests of one connection, one after the other.
@Suite struct HTTPRequestHandlerTests {
    private final class Asked: @unchecked Sendable {
        var requests: [(path: String, authorization: String?, body: String)] = []
    }

    private static func channel(
        _ asked: Asked,
        _ answer: HTTPAnswer = HTTPAnswer(status: 200, headers: ["X-Y": "z"], body: "{}")
    ) -> EmbeddedChannel {
        EmbeddedChannel(
            handler: HTTPRequestHandler { path, authorization, body in
                asked.requests.append((path, authorization, String(decoding: body, as: UTF8.self)))
                return answer
            }
        )
    }

    private static func send(
        _ channel: EmbeddedChannel,
        _ path: String,
        _ headers: [(String, String)] = [],
        body: [String] = [],
        version: HTTPVersion = .http1_1
    ) throws {
        let head = HTTPRequestHead(
            version: version,
            method: .POST,
            uri: path,
            headers: HTTPHeaders(headers)
        )
        try channel.writeInbound(HTTPServerRequestPart.head(head))
        for part in body {
            try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: part)))
        }
        try channel.writeInbound(HTTPServerRequestPart.end(nil))
    }

    private static func answer(
        _ channel: EmbeddedChannel
    ) throws -> (head: HTTPResponseHead, body: String)? {
        guard case .head(let head)? = try channel.readOutbound(as: HTTPServerResponsePart.self),
            case .body(.byteBuffer(let body))? = try channel.readOutbound(
                as: HTTPServerResponsePart.self
            ),
            case .end? = try channel.readOutbound(as: HTTPServerResponsePart.self)
        else { return nil }
        return (head, String(buffer: body))
    }

    @Test func `a request is its path, its authorization and its whole body`() throws {
        let asked = Asked()
        let channel = Self.channel(asked)
        try Self.send(
            channel,
            "/a?b=c",
            [("Authorization", "Bearer t"), ("Host", "x")],
            body: ["on", "e", ""]
        )
        #expect(asked.requests.count == 1)
        #expect(asked.requests[0] == ("/a?b=c", "Bearer t", "one"))
        let (head, body) = try #require(try Self.answer(channel))
        #expect(head.status == .ok && body == "{}")
        #expect(head.headers.first(name: "Content-Length") == "2")
        #expect(head.headers.first(name: "X-Y") == "z")
        #expect(head.headers.first(name: "Content-Type")?.hasPrefix("application/json") == true)
    }

    @Test func `a request has nothing of the one before`() throws {
        let asked = Asked()
        let channel = Self.channel(asked)
        try Self.send(channel, "/1", [("Authorization", "x")], body: ["one"])
        try Self.send(channel, "/2")
        #expect(asked.requests.map(\.path) == ["/1", "/2"])
        #expect(asked.requests.map(\.authorization) == ["x", nil])
        #expect(asked.requests.map(\.body) == ["one", ""])
    }

    @Test(arguments: [200, 201, 400, 401, 403, 404, 429, 500, 503])
    func `a status is the one that is asked for, with the octets counted`(status: Int) throws {
        let body = "M\u{FC}ller"
        let channel = Self.channel(Asked(), HTTPAnswer(status: status, body: body))
        try Self.send(channel, "/")
        let (head, said) = try #require(try Self.answer(channel))
        #expect(Int(head.status.code) == status && said == body)
        #expect(head.headers.first(name: "Content-Length") == "7")
    }

    /// How a client asks for the end of a connection.
    @Test(
        arguments: [
            (HTTPVersion.http1_1, [], true), (.http1_1, [("Connection", "close")], false),
            (.http1_0, [], false), (.http1_0, [("Connection", "keep-alive")], true),
        ] as [(HTTPVersion, [(String, String)], Bool)]
    )
    func `a connection ends where the client wants no more`(
        version: HTTPVersion,
        headers: [(String, String)],
        staysOpen: Bool
    ) throws {
        let channel = Self.channel(Asked())
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 1)).wait()
        try Self.send(channel, "/", headers, version: version)
        channel.embeddedEventLoop.run()
        #expect(try Self.answer(channel) != nil)
        #expect(channel.isActive == staysOpen)
    }

    @Test func `an error of the connection ends it`() throws {
        let channel = Self.channel(Asked())
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 1)).wait()
        channel.pipeline.fireErrorCaught(ChannelError.inputClosed)
        channel.embeddedEventLoop.run()
        #expect(!channel.isActive)
    }
}
