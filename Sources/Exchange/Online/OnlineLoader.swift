import Access
package import Foundation

/// An import of mailboxes' permissions from Exchange Online.
package struct OnlineLoader: Sendable {
    /// The most folders of a mailbox: each one is a request.
    private static let maximumFolders = 5_000

    private let interface: AdminInterface
    private let http: MicrosoftHTTPClient

    /// - Parameter now: the clock that decides whether a refused token is old enough to be
    ///   replaced.
    package init(
        _ application: EntraApplication,
        tokens: TokenSource,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.http = MicrosoftHTTPClient(caFile: application.caFile)
        self.interface = AdminInterface(
            AdminTransport(application: application, tokens: tokens, http: self.http, now: now)
        )
    }

    package func shutdown() {
        self.http.shutdown()
    }

    /// Loads the permissions of mailboxes, all recipients, and the members of groups with rights.
    ///
    /// - Parameter addresses: primary addresses.
    /// - Throws: `OnlineError` or `ReadingError` if any part fails: a part of the permissions would
    ///   be misleading.
    package func load(_ addresses: [String]) async throws -> PermissionsDocument {
        var output = CmdletOutput()
        var document = PermissionsDocument()
        for address in addresses {
            try await self.loadMailbox(address, output: &output, document: &document)
        }
        document.add(output.document(isWhole: true))
        let own = document.recipients
        document.recipients = try await self.directory()
        // Keep a mailbox that the directory does not list, for example a hidden one.
        let known = Set(document.recipients.flatMap(\.guids).map { $0.lowercased() })
        document.recipients += own.filter { recipient in
            known.isDisjoint(with: recipient.guids.map { $0.lowercased() })
        }
        document.hasWholeDirectory = true
        try await self.applications(&document)
        try await self.addMembers(to: &document)
        document.notes += await self.interface.notes
        return document
    }

    // MARK: - One mailbox

    /// Loads one mailbox's own permissions and those of its folders.
    private func loadMailbox(
        _ address: String,
        output: inout CmdletOutput,
        document: inout PermissionsDocument
    ) async throws {
        let mailbox = try await self.mailbox(address)
        try output.add(mailbox)
        let names = try Self.names(of: mailbox)
        for cmdlet in [Cmdlet.mailboxPermission, .recipientPermission] {
            let question = Question(cmdlet, identity: address, isWhole: true)
            for row in try await self.rows(question) {
                try output.add(row.naming(address, among: names))
            }
        }
        var found = PermissionsDocument.Mailbox(address: address)
        let folders = try await self.folders(address)
        // The Admin API's path is ambiguous: `A\B` is one folder, or `B` below `A`.
        let counts = Dictionary(folders.map { (ExactText($0.joined), 1) }, uniquingKeysWith: +)
        for folder in folders where FolderNames.mailTypes.contains(folder.type.lowercased()) {
            let isCertain = counts[ExactText(folder.joined)] == 1 && !folder.hasBackslash
            switch try await self.entries(address, folder: folder, isCertain: isCertain) {
            case .success(let entries):
                found.folders.append(
                    PermissionsDocument.Folder(
                        path: folder.components,
                        type: folder.type,
                        entries: entries
                    )
                )
            case .failure(let error): document.notes.append(error.description)
            }
        }
        document.mailboxes.append(found)
    }

    /// A folder of a mailbox.
    private struct MailboxFolder {
        /// The names from the top level.
        var components: [String]
        /// Exchange's FolderId.
        var id: String
        /// Exchange's FolderType.
        var type: String

        /// The path as the Admin API v2.0 writes it.
        var joined: String { self.components.joined(separator: "\\") }

        var hasBackslash: Bool { self.components.contains { $0.contains("\\") } }
    }

    /// The folders of a mailbox (Get-MailboxFolderStatistics).
    private func folders(_ address: String) async throws -> [MailboxFolder] {
        let rows = try await self.rows(Question(.folderStatistics, identity: address))
        guard rows.count <= Self.maximumFolders else {
            throw OnlineError("\(address) has more than \(Self.maximumFolders) folders")
        }
        return try rows.map { row in
            guard let path = try row.exactText("FolderPath"), let id = try row.text("FolderId"),
                let type = try row.text("FolderType")
            else { throw OnlineError("\(row.place) has no FolderPath, FolderId or FolderType") }
            let components = path.split(separator: "/").map(String.init)
            return MailboxFolder(components: components, id: id, type: type)
        }
    }

    /// The row of Get-Mailbox. Columns that the Admin API v2.0 omits are added from
    /// `InvokeCommand`.
    private func mailbox(_ address: String) async throws -> CmdletRow {
        let row = try await self.mailbox(address, documented: .same)
        let needed = ["Identity", "PrimarySmtpAddress", "EmailAddresses", "GrantSendOnBehalfTo"]
        let missing = needed.filter { !row.has($0) }
        guard !missing.isEmpty, await self.interface.isDocumented(.mailbox) else {
            return try Self.checked(row, address: address)
        }
        let why = "leaves \(missing.joined(separator: ", ")) out"
        let other = try Self.checked(
            try await self.mailbox(address, documented: .not(why)),
            address: address
        )
        guard case .object(let members) = row.value, case .object(let others) = other.value else {
            return other
        }
        let value = JSONValue.object(members.merging(others) { documented, _ in documented })
        return try Self.checked(
            CmdletRow(place: row.place, value: value, origin: row.origin),
            address: address
        )
    }

    private func mailbox(
        _ address: String,
        documented: Question.Documented
    ) async throws -> CmdletRow {
        let question = Question(.mailbox, identity: address, documented: documented)
        let rows = try await self.rows(question)
        guard rows.count == 1, let row = rows.first else {
            throw OnlineError("Get-Mailbox finds \(rows.count) mailboxes for \(address)")
        }
        return row
    }

    /// - Throws: `OnlineError` if the row describes another mailbox.
    private static func checked(_ row: CmdletRow, address: String) throws -> CmdletRow {
        let addresses =
            try [row.text("PrimarySmtpAddress")].compactMap { $0 } + row.words("EmailAddresses")
        guard addresses.compactMap(Directory.address).contains(Directory.folded(address)) else {
            throw OnlineError("Get-Mailbox answered about another mailbox than \(address)")
        }
        return row
    }

    /// The entries of one folder, or an error if the response describes another folder.
    ///
    /// The Admin API v2.0 identifies a folder by its path, which is ambiguous if a name contains
    /// `\`. `InvokeCommand` identifies it by FolderId.
    private func entries(
        _ address: String,
        folder: MailboxFolder,
        isCertain: Bool
    ) async throws -> Result<[PermissionsDocument.FolderEntry], OnlineError> {
        let path = "\(address):\\\(folder.joined)"
        let question = Question(
            .folderPermission,
            identity: "\(address):\(folder.id)",
            isWhole: true,
            documented: isCertain
                ? .identity(path)
                : .not("names folders by paths, which are not certain where a name has a \\")
        )
        var entries: [PermissionsDocument.FolderEntry] = []
        for row in try await self.rows(question) {
            let name = try row.exactText("FolderName")
            if let name, let last = folder.components.last, !FolderRows.isSame(name, other: last) {
                return .failure(
                    OnlineError(
                        "\(path): its entries are left out, because Exchange answered about \(name)"
                    )
                )
            }
            entries.append(try CmdletOutput.folderEntry(row))
        }
        return .success(entries)
    }

    /// All names that a row of another cmdlet may use for the mailbox.
    private static func names(of mailbox: CmdletRow) throws(ReadingError) -> Set<String> {
        var names = Set(try mailbox.words("EmailAddresses").compactMap(Directory.address))
        for column in [
            "Identity", "Name", "DisplayName", "Alias", "DistinguishedName", "Id", "Guid",
            "ExchangeGuid", "ExternalDirectoryObjectId", "PrimarySmtpAddress", "UserPrincipalName",
            "LegacyExchangeDN", "SamAccountName",
        ] {
            if let name = try mailbox.text(column) { names.insert(name.lowercased()) }
        }
        return names
    }

    /// Runs a cmdlet and labels its rows for messages.
    func rows(_ question: Question) async throws -> [CmdletRow] {
        let rows = try await self.interface.ask(question)
        let place = "\(question.cmdlet.rawValue) \(question.identity ?? "")"
        return rows.enumerated().map { index, row in
            CmdletRow(place: "\(place), row \(index + 1)", value: row, origin: .online)
        }
    }
}

extension CmdletRow {
    /// The row with its Identity replaced by the mailbox's address.
    ///
    /// - Parameter names: the names of the mailbox, in lower case.
    /// - Throws: `OnlineError` if the row describes another mailbox: a lost identity returns all
    ///   rows.
    fileprivate func naming(
        _ address: String,
        among names: Set<String>
    ) throws -> CmdletRow {
        guard case .object(var members) = self.value else { return self }
        if let identity = try self.text("Identity")?.lowercased() {
            // `contoso.example/Users/Sales` ends with the name, `CN=Sales,OU=…` begins with it.
            let last = identity.split(separator: "/").last.map(String.init)
            let first = identity.hasPrefix("cn=") ? identity.dropFirst(3) : identity[...]
            let common = first.split(separator: ",").first.map(String.init)
            guard [identity, last, common].contains(where: { $0.map(names.contains) ?? false })
            else { throw OnlineError("\(self.place) is about \(identity), not \(address)") }
        }
        members["Identity"] = .string(address)
        return CmdletRow(place: self.place, value: .object(members), origin: self.origin)
    }
}
