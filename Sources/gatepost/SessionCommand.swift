import ArgumentParser
import Foundation
import Gateway
import NIOCore
import NIOPosix
import Store

/// `gatepost session …`: asks the running gateway.
struct SessionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session",
        abstract: "Who is connected to the running gateway.",
        subcommands: [List.self, End.self]
    )

    struct List: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let answer = try await SessionCommand.ask(end: nil, self.configuration)
            let sessions = answer.sessions ?? []
            if self.output.json { return try Output.json(sessions) }
            Output.table(
                ["SESSION", "USER", "PROTOCOL", "FROM", "SINCE", "OPEN"],
                sessions.map { session in
                    [
                        "\(session.session)", session.user, session.protocol, session.from ?? "",
                        GrantCommand.date(session.since),
                        [session.account, session.folder].compactMap { $0 }.joined(separator: " "),
                    ]
                }
            )
        }
    }

    struct End: AsyncParsableCommand {
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "Its number in `gatepost session list`.") var session: UInt64

        func run() async throws {
            let answer = try await SessionCommand.ask(end: self.session, self.configuration)
            guard answer.hasEnded == true else {
                throw Failure("no session \(self.session): gatepost session list")
            }
            print("ended; the user may log in again (gatepost user disable LOGIN)")
        }
    }

    private static func ask(
        end: UInt64?,
        _ configuration: ConfigurationOption
    ) async throws -> ControlMessage.Answer {
        let (_, actor) = try await configuration.openForChange(.administrator)
        let path = try await configuration.load().controlSocket
        var line = try JSONEncoder().encode(ControlMessage.Request(end: end, actor: actor))
        line.append(UInt8(ascii: "\n"))
        let octets = try await Self.exchange(ByteBuffer(bytes: line), path)
        guard
            let answer = try? JSONDecoder().decode(
                ControlMessage.Answer.self,
                from: Data(octets.readableBytesView)
            )
        else { throw Failure("the gateway gave no answer that this version understands") }
        if let refusal = answer.refusal { throw Failure(refusal) }
        return answer
    }

    /// Sends a line, and takes what comes until the end.
    static func exchange(_ line: ByteBuffer, _ path: String) async throws -> ByteBuffer {
        let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>
        do {
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: path) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw Failure("no gateway runs here (\(path)): gatepost serve")
        }
        // A gateway that is stuck does not answer.
        channel.channel.eventLoop.scheduleTask(in: .seconds(10)) {
            channel.channel.close(promise: nil)
        }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(line)
            var answer = ByteBuffer()
            for try await octets in inbound { answer.writeImmutableBuffer(octets) }
            return answer
        }
    }
}
