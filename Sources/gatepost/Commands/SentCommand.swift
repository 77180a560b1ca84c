import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost sent VERB`: copies of sent messages that wait for their Sent folder.
struct SentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sent",
        abstract: "Manage copies of sent messages that wait for their Sent folder.",
        subcommands: [List.self, Retry.self, Drop.self]
    )

    /// `gatepost sent list`: requires the role `settings`.
    ///
    /// `--json` prints an array of ``WaitingCopyRow``:
    /// `{"copy":"3.0A1B….own","account":"info@kanzlei.example","since":1796011063,`
    /// `"octets":2048,"messageID":"<a@kanzlei.example>","state":"waiting","seconds":240,`
    /// `"error":"the server cannot be used","elsewhere":false}`. `state` is `waiting`, `filing` or
    /// `unknown`. A key without a value is absent.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the waiting copies with account, age, size and reason.",
            discussion: """
                A copy is unknown if its gateway stopped before it knew whether the message went \
                out: see gatepost doctor.
                """
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            let configuration = try await self.configuration.load()
            let answer = try await SentCommand.ask(
                SentCopyRequest(.list),
                of: configuration,
                actor: actor
            )
            let refused = await StoredCredentials(configuration).suspended() ?? []
            let rows = try WaitingCopyRow.all(store, gateway: answer, refused: refused)
            if self.output.json { return try Output.json(list: rows) }
            Output.table(
                ["COPY", "ACCOUNT", "SINCE", "OCTETS", "STATE", "REASON"],
                rows: rows.lazy.map(\.cells)
            )
        }
    }

    /// `gatepost sent retry [COPY]`: requires the role `settings`.
    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put waiting copies into their Sent folders now.",
            discussion: "Without COPY, the running gateway tries all that wait."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The copy as gatepost sent list shows it.") var copy: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange()
            if let copy = self.copy { _ = try SentCommand.find(copy, in: store) }
            let answer = try await SentCommand.ask(
                SentCopyRequest(.retry, name: self.copy),
                of: try await self.configuration.load(),
                actor: actor
            )
            guard let answer else {
                throw Failure("no gateway runs here: it tries at its next start (gatepost serve)")
            }
            guard self.copy == nil || !answer.changed.isEmpty else {
                throw Failure(
                    "the gateway files the copy at this moment, or may not: gatepost sent list"
                )
            }
            let count = answer.changed.count
            print("\(count) \(count == 1 ? "copy" : "copies"): the gateway tries now")
        }
    }

    /// `gatepost sent drop COPY`: requires the role `administrator`.
    ///
    /// The message itself was sent; only its copy is lost.
    struct Drop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a waiting copy, so that it gets into no Sent folder."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The copy as gatepost sent list shows it.") var copy: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let copy = try SentCommand.find(self.copy, in: store)
            let row = try WaitingCopyRow.all(store, gateway: nil, refused: [])
                .first { $0.copy == self.copy }
            let message = copy.messageID ?? "a message without Message-ID"
            let account = row?.account ?? "account \(copy.account)"
            try self.confirmation.confirm(
                "Remove the copy of \(Output.printable(message)) for \(account)"
            )
            // Before the copy is gone: no copy disappears without a record.
            var record = AuditRecord(event: "change", actor: actor, from: "command line")
            record.account = account
            record.detail = ["sent drop \(copy.name): \(message)"]
            try store.audit([(.current, record)])
            let answer = try await SentCommand.ask(
                SentCopyRequest(.drop, name: copy.name),
                of: try await self.configuration.load(),
                actor: actor
            )
            if let answer {
                guard !answer.changed.isEmpty else {
                    throw Failure("the gateway files the copy at this moment: gatepost sent list")
                }
            } else {
                try SentCopies.drop(copy, store: store)
            }
        }
    }

    /// A copy in the folder of this node.
    /// - Throws: ``Failure`` if there is none of this name.
    private static func find(_ name: String, in store: PermissionStore) throws -> SpooledSentCopy {
        let found = SentCopies.spooled(store: store.path).first { $0.name == name }
        guard let found else {
            throw Failure("no copy \(name) waits here: see gatepost sent list")
        }
        return found
    }

    /// Sends a request to the running gateway of this machine.
    /// - Returns: nil if no gateway runs.
    /// - Throws: ``Failure`` if the gateway refuses or does not know the request.
    private static func ask(
        _ request: SentCopyRequest,
        of configuration: GatewayConfiguration,
        actor: String
    ) async throws -> SentCopyAnswer? {
        let answer: ControlMessage.Answer
        do {
            answer = try await ControlClient.ask(
                ControlMessage.Request(sentCopies: request, actor: actor),
                at: configuration.controlSocket
            )
        } catch is ControlClient.NotRunning {
            return nil
        }
        guard let copies = answer.sentCopies else {
            throw Failure("the running gateway is an earlier version: restart it")
        }
        return copies
    }
}
