import Access
import ArgumentParser
import Foundation
import Gateway
import Store

/// `gatepost export [FILE]`
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract:
            "Write the whole model as one JSON document; no password and no credential is in it."
    )

    @OptionGroup var configuration: ConfigurationOption
    @Argument(help: "Standard output by default.") var file: String?

    func run() async throws {
        let (store, _) = try await self.configuration.openForChange(.administrator)
        let document = try store.export()
        guard let file = self.file else { return try Output.json(document) }
        // It would be written with the rights of the gateway's user.
        guard !Actor.current.isBySudo else {
            throw Failure("by sudo, take the output: export > \(file)")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            try encoder.encode(document)
                .write(to: URL(fileURLWithPath: file), options: .withoutOverwriting)
        } catch {
            throw Failure("\(file) cannot be written, or is there already")
        }
    }
}
