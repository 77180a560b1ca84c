import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost export [FILE]`: requires the role `administrator`, and never overwrites a file.
///
/// The document is a `ModelDocument`, which `gatepost apply` accepts: a JSON object with the keys
/// `users`, `groups`, `accounts`, `grants`, `withdrawals` and `walls`. It has sorted keys, so that
/// two exports can be compared line by line. A caller who came by sudo must redirect the output:
/// otherwise the gateway's user would write to a file of the caller's choice.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write the whole model as one JSON document.",
        discussion: """
            The document contains users, groups, accounts, grants, withdrawals and walls, but no \
            password and no credential.
            """
    )

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "The file to write (default: standard output).") var file: String?

    func run() async throws {
        let (store, _) = try await self.configuration.openForChange(.administrator)
        let document = try store.export()
        guard let file = self.file else { return try Output.json(document) }
        // By sudo the gateway's user would write to a file that the caller names.
        guard !Actor.current.isBySudo else {
            throw Failure("by sudo, redirect the output: export > \(file)")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try encoder.encode(document)
                .write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw Failure("cannot write \(file), or it exists: name a new file")
        }
    }
}
