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
        // By sudo the gateway's user would write to a file that the caller names.
        guard self.file == nil || !Actor.current.isBySudo else {
            throw Failure("by sudo, redirect the output: export > \(self.file ?? "")")
        }
        let document = try ProgressLine.during("reading the store") { _ in try store.export() }
        guard let file = self.file else {
            try Self.write(document) { print($0, terminator: "") }
            return print("")
        }
        let output = try NewFile(file)
        try ProgressLine.during("writing \(file)") { _ in
            try Self.write(document) { try output.write($0) }
            try output.close()
        }
    }

    /// Writes the document, an entry at a time, as one `JSONEncoder` would write it whole.
    static func write(_ document: ModelDocument, to write: (String) throws -> Void) throws {
        var separator = "{"
        func part(_ key: String, entries: [some Encodable]?) throws {
            guard let entries else { return }
            try write("\(separator)\n  \"\(key)\" : ")
            try Output.array(of: entries, indentation: "  ", write: write)
            separator = ","
        }
        try part("accounts", entries: document.accounts)
        try part("grants", entries: document.grants)
        try part("groups", entries: document.groups)
        try part("users", entries: document.users)
        try part("walls", entries: document.walls)
        try part("withdrawals", entries: document.withdrawals)
        try write(separator == "{" ? "{\n\n}" : "\n}")
    }
}

/// A file that did not exist before. It is removed unless it is closed.
private final class NewFile {
    /// Octets that are written at once.
    private static let chunk = 1 << 18

    private let path: String
    private let handle: FileHandle
    private var waiting = Data()
    private var isComplete = false

    /// - Throws: ``Failure`` if the file exists, or cannot be created.
    init(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.failure(path) }
        self.path = path
        self.handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    deinit {
        if !self.isComplete { unlink(self.path) }
    }

    /// - Throws: ``Failure`` if the disk takes no more.
    func write(_ text: String) throws {
        self.waiting.append(contentsOf: text.utf8)
        if self.waiting.count >= Self.chunk { try self.flush() }
    }

    /// Writes the rest.
    /// - Throws: ``Failure`` if the disk takes no more.
    func close() throws {
        try self.flush()
        self.isComplete = true
    }

    private func flush() throws {
        do { try self.handle.write(contentsOf: self.waiting) } catch {
            throw Self.failure(self.path)
        }
        self.waiting.removeAll(keepingCapacity: true)
    }

    private static func failure(_ path: String) -> Failure {
        Failure("cannot write \(path), or it exists: name a new file")
    }
}
