import ArgumentParser
import Gateway
import LDAP
import Store

/// `gatepost group VERB`: a named set of users and groups, as subject of grants.
///
/// A change of members is a change of permissions: all verbs except `list` and `show` require the
/// role `administrator`.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Manage groups of users.",
        subcommands: [
            Add.self, Remove.self, List.self, Show.self, Join.self, Leave.self, Refresh.self,
        ]
    )

    /// `gatepost group add NAME [--ldap FILTER]`: requires the role `administrator`.
    ///
    /// A name has 1 to 200 octets and only visible characters. It fails if the group exists, and if
    /// the directory cannot be read.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a group without members, or with members from the directory."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The group's name.") var name: String
        @Option(
            help: """
                Take the members, direct and nested, of the groups in authentication.ldap that match \
                this filter.
                """
        )
        var ldap: String?

        /// - Throws: `ValidationError` for a filter that is not valid.
        func validate() throws {
            guard let ldap = self.ldap else { return }
            do {
                _ = try UserImportDirectory.checked(ldap)
            } catch {
                throw ValidationError(error.description)
            }
        }

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            guard let ldap = self.ldap else {
                return try store.addGroup(self.name, actor: actor)
            }
            let filter = try UserImportDirectory.checked(ldap)
            let directory = try await self.configuration.load().groupDirectory()
            let people: DirectoryGroupPeople
            do {
                people = try ProgressLine.during("reading the directory") { _ in
                    try directory.people(inGroups: filter)
                }
            } catch {
                throw Failure("the group was not added: \(error)")
            }
            try store.addGroup(self.name, ldap: filter, actor: actor)
            let group = DirectoryGroup(name: self.name, filter: filter)
            GroupCommand.report(
                try store.setMembers(of: group, to: people, actor: actor),
                of: self.name
            )
        }
    }

    /// `gatepost group remove NAME`: requires the role `administrator`.
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a group and all grants to it."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument(help: "The group's name.") var name: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            _ = try store.group(self.name)
            try self.confirmation.confirm("Remove group \(self.name) and all grants to it")
            try store.removeGroup(self.name, actor: actor)
        }
    }

    /// `gatepost group list`: all groups with their members.
    ///
    /// `--json` prints an array of `GroupRow`:
    /// `{"name":"Sekretariat","members":["anna@kanzlei.example","group:Empfang"]}`. A group of the
    /// directory has the key `ldap`, its filter.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all groups.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let groups = try ProgressLine.during("reading the groups") { _ in try store.groups() }
            if self.output.json { return try Output.json(list: groups) }
            Output.table(
                ["GROUP", "LDAP", "MEMBERS"],
                rows: groups.lazy.map {
                    [$0.name, $0.ldap ?? "", $0.members.joined(separator: ", ")]
                }
            )
        }
    }

    /// `gatepost group show NAME`: the direct members of one group.
    ///
    /// `--json` prints one `GroupDetails`. A group of the directory has the key `directory`:
    /// `{"failure":null,"filter":"(cn=Sekretariat)","read":1796100305,"tried":1796100305,`
    /// `"unknown":["dora@kanzlei.example"]}`, with times in seconds since 1970.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the members of a group.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The group's name.") var name: String

        func run() async throws {
            let group = try await self.configuration.openStore().groupDetails(self.name)
            if self.output.json { return try Output.json(group) }
            let unknown = group.directory?.unknown ?? []
            guard let directory = group.directory else {
                return Output.table(["MEMBER"], rows: group.members.lazy.map { [$0] })
            }
            Output.table(
                ["MEMBER", "STATE"],
                rows: group.members.map { [$0, "member"] } + unknown.map { [$0, "no user here"] }
            )
            let read = directory.read.map { "read \(Output.date($0))" } ?? "not read yet"
            Output.note("the members come from the directory: \(directory.filter), \(read)")
            if let failure = directory.failure, let tried = directory.tried {
                Output.note("the attempt of \(Output.date(tried)) failed: \(failure)")
            }
        }
    }

    /// `gatepost group join NAME MEMBER…`: requires the role `administrator`.
    ///
    /// It fails for an unknown member, and for a group that would contain itself.
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add members to a group.")
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The group's name.") var name: String
        @Argument(help: "Logins, and group:NAME for groups.") var members: [String]

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.join(self.members, to: self.name, actor: actor)
        }
    }

    /// `gatepost group leave NAME MEMBER…`: requires the role `administrator`.
    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove members from a group.")
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The group's name.") var name: String
        @Argument(help: "Logins, and group:NAME for groups.") var members: [String]

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.leave(self.members, from: self.name, actor: actor)
        }
    }
}
