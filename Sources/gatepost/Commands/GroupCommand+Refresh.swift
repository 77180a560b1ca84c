import Access
import ArgumentParser
import Gateway
import LDAP
import Store

extension GroupCommand {
    /// `gatepost group refresh [NAME]`: requires the role `administrator`.
    ///
    /// The running gateway does the same on its own, every `authentication.ldap.groupMinutes`.
    struct Refresh: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Read the members of groups from the directory now.",
            discussion: "A group whose members cannot be read keeps them."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The group's name; without it, all groups of the directory.")
        var name: String?

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            let directory = try await self.configuration.load().groupDirectory()
            let groups = try self.groups(store)
            let failures = ProgressLine.during("reading the directory") { progress in
                groups.count { group in
                    progress.report.begin("reading \(group.name)")
                    return !Self.refresh(group, from: directory, store: store, actor: actor)
                }
            }
            guard failures == 0 else {
                throw Failure(
                    "\(failures) of \(groups.count) groups could not be read and keep their members: "
                        + "correct the cause and repeat the command"
                )
            }
        }

        /// The groups to read.
        /// - Throws: ``Failure`` for a group with members of its own.
        private func groups(_ store: PermissionStore) throws -> [DirectoryGroup] {
            guard let name = self.name else {
                return try store.directoryGroups().map {
                    DirectoryGroup(name: $0.name, filter: $0.state.filter)
                }
            }
            guard let state = try store.groupDetails(name).directory else {
                throw Failure(
                    "the members of \(name) do not come from the directory: use gatepost group join "
                        + "and leave"
                )
            }
            return [DirectoryGroup(name: name, filter: state.filter)]
        }

        /// Reads one group.
        /// - Returns: whether that succeeded.
        private static func refresh(
            _ group: DirectoryGroup,
            from directory: DirectorySettings,
            store: PermissionStore,
            actor: String
        ) -> Bool {
            do {
                do {
                    let people = try directory.people(inGroups: group.filter)
                    let change = try store.setMembers(of: group, to: people, actor: actor)
                    GroupCommand.report(change, of: group.name)
                    return true
                } catch let error as DirectoryError {
                    Output.note("\(group.name): \(error)")
                    try store.readingFailed(
                        of: group,
                        reason: error.description,
                        at: .current
                    )
                }
            } catch {
                Output.note("\(group.name): \(error)")
            }
            return false
        }
    }

    /// The number of members that a line names. `group show` lists all of them.
    private static let namedMembers = 5

    /// Prints what a reading changed.
    static func report(_ change: DirectoryGroupChange, of name: String) {
        print("\(name): \(change.joined.count) joined, \(change.left.count) left")
        guard !change.unknown.isEmpty else { return }
        let names = change.unknown.prefix(Self.namedMembers).joined(separator: ", ")
        let more = change.unknown.count > Self.namedMembers ? ", …" : ""
        Output.note(
            "\(name): \(change.unknown.count) members in the directory are no users here and get "
                + "nothing: \(names)\(more)"
        )
    }
}

extension GatewayConfiguration {
    /// The directory of groups.
    /// - Throws: ``Failure`` if none is configured.
    func groupDirectory() throws(Failure) -> DirectorySettings {
        guard let directory = self.authentication.directory else {
            throw Failure(
                "no directory is configured: set authentication.ldap (gatepost.yaml(5))"
            )
        }
        return directory
    }
}
