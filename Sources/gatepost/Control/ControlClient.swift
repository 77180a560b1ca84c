import Foundation
import Gateway
import NIOCore
import NIOPosix

/// The client of the running gateway's control socket: one request line, one answer line, both
/// JSON.
///
/// For example `{"end":7,"actor":"root"}` is answered with `{"hasEnded":true}`, and a refused
/// request with `{"refusal":"…"}`. The socket is a Unix domain socket that only root and the
/// gateway's user may use.
enum ControlClient {
    /// The time to wait for the answer: a gateway that hangs never answers.
    private static let timeout = TimeAmount.seconds(10)

    /// No process accepts connections at the socket.
    struct NotRunning: Error {}

    /// Sends a request and reads the answer.
    ///
    /// - Parameters:
    ///   - request: the question.
    ///   - path: the path of the control socket.
    /// - Throws: ``NotRunning``, or ``Failure`` if the gateway refuses or its answer is unreadable.
    static func ask(
        _ request: ControlMessage.Request,
        at path: String
    ) async throws -> ControlMessage.Answer {
        var line = try JSONEncoder().encode(request)
        line.append(UInt8(ascii: "\n"))
        let octets = try await self.exchange(ByteBuffer(bytes: line), path: path)
        guard
            let answer = try? JSONDecoder().decode(
                ControlMessage.Answer.self,
                from: Data(octets.readableBytesView)
            )
        else {
            throw Failure("this version cannot read the gateway's answer: restart the gateway")
        }
        if let refusal = answer.refusal { throw Failure(refusal) }
        return answer
    }

    /// Sends the line and reads until the gateway closes the connection, or the timeout does.
    private static func exchange(_ line: ByteBuffer, path: String) async throws -> ByteBuffer {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch let error as IOError where error.errnoCode == EACCES {
            throw Failure("only root and the gateway's user may use \(path): use sudo")
        } catch {
            throw NotRunning()
        }
        channel.channel.eventLoop.scheduleTask(in: Self.timeout) {
            channel.channel.close(promise: nil)
        }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(line)
            var answer = ControlLine(maximumOctets: ControlLine.maximumAnswerOctets)
            for try await octets in inbound {
                guard answer.receive(octets) else {
                    throw Failure("the gateway's answer is too long")
                }
            }
            return answer.octets
        }
    }
}
