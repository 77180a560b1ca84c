import Foundation
import Gateway
import NIOCore
import NIOPosix

/// Asks the gateway that runs on this machine: a line goes, a line comes.
enum ControlClient {
    /// A gateway that is stuck does not answer.
    private static let timeout = TimeAmount.seconds(10)

    /// Nothing listens at the socket.
    struct NotRunning: Error {}

    /// - Parameter path: of the gateway's socket for commands.
    /// - Throws: ``NotRunning``, or ``Failure`` for a gateway that refuses, or does not understand.
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
        else { throw Failure("the gateway gave no answer that this version understands") }
        if let refusal = answer.refusal { throw Failure(refusal) }
        return answer
    }

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
            throw Failure("the gateway's socket answers root and the gateway's user only")
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
