import ArgumentParser
import Store

/// `gatepost group …`
struct GroupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Manage named sets of users and groups.",
        subcommands: [Add.self, Remove.self, List.self, Show.self, Join.self, Leave.self]
    )

    /// `gatepost group add …`
    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a group without members."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var name: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.addGroup(self.name, actor: actor)
        }
    }

    /// `gatepost group remove …`
    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a group and every grant to it."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var confirmation: YesOption
        @Argument var name: String

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            _ = try store.group(self.name)
            try self.confirmation.confirm("Remove group \(self.name) and every grant to it")
            try store.removeGroup(self.name, actor: actor)
        }
    }

    /// `gatepost group list …`
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List all groups with their members."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption

        func run() async throws {
            let groups = try await self.configuration.openStore().groups()
            if self.output.json { return try Output.json(groups) }
            Output.table(
                ["GROUP", "MEMBERS"],
                rows: groups.map { [$0.name, $0.members.joined(separator: ", ")] }
            )
        }
    }

    /// `gatepost group show …`
    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one group with its members."
        )
        @OptionGroup var configuration: ConfigurationOption
        @OptionGroup var output: JSONOption
        @Argument var name: String

        func run() async throws {
            let group = try await self.configuration.openStore().group(self.name)
            if self.output.json { return try Output.json(group) }
            Output.table(["MEMBER"], rows: group.members.map { [$0] })
        }
    }

    /// `gatepost group join …`
    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put users and groups into a group."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var name: String
        @Argument(help: "Logins, and group:NAME.") var members: [String]

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.join(self.members, to: self.name, actor: actor)
        }
    }

    /// `gatepost group leave …`
    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take users and groups out of a group."
        )
        @OptionGroup var configuration: ConfigurationOption
        @Argument var name: String
        @Argument(help: "Logins, and group:NAME.") var members: [String]

        func run() async throws {
            let (store, actor) = try await self.configuration.openForChange(.administrator)
            try store.leave(self.members, from: self.name, actor: actor)
        }
    }
}
