import ArgumentParser
import Store

/// `gatepost group VERB`: a named set of users and groups, as subject of grants.
///
/// A change of members is a change of permissions: all verbs except `list` and `show` require the
/// role `administrator`.
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Manage groups of users.",
        subcommands: [Add.self, Remove.self, List.self, Show.self, Join.self, Leave.self]
    )

    /// `gatepost group add NAME`: requires the role `administrator`.
    ///
    /// A name has 1 to 200 octets and only visible characters. It fails if the group exists.
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Add a group without members.")
        @OptionGroup var configuration: ConfigurationOption
        @Argument(help: "The group's name.") var name: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.addGroup(self.name, actor: actor)
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
    /// `{"name":"Sekretariat","members":["anna@kanzlei.example","group:Empfang"]}`.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all groups.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let store = try await self.configuration.openStore()
            let groups = try ProgressLine.during("reading the groups") { _ in try store.groups() }
            if self.output.json { return try Output.json(list: groups) }
            Output.table(
                ["GROUP", "MEMBERS"],
                rows: groups.lazy.map { [$0.name, $0.members.joined(separator: ", ")] }
            )
        }
    }

    /// `gatepost group show NAME`: the direct members of one group.
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show the members of a group.")
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument(help: "The group's name.") var name: String

        func run() async throws {
            let group = try await self.configuration.openStore().group(self.name)
            if self.output.json { return try Output.json(group) }
            Output.table(["MEMBER"], rows: group.members.lazy.map { [$0] })
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
