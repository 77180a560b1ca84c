import Access
import Exchange
import Foundation
import Testing

/// All forms in which PowerShell and the administration interface return Exchange's permissions,
/// valid and broken, with the resulting rights.
@Suite struct ReadingTests {
    struct Sample: CustomTestStringConvertible, Sendable {
        var name: String
        var files: [String]
        /// `login rights send folder via`, sorted; or the reason of the refusal.
        var entries: [String] = []
        var denials: [String] = []
        var unresolved: [String] = []
        var refusal: String?
        var recipients: [PermissionsDocument.Recipient] = []

        var testDescription: String { self.name }
    }

    static let people = [
        Person(login: "kim@contoso.example", addresses: ["kim@contoso.example"]),
        Person(login: "lee@contoso.example", addresses: ["lee@contoso.example"]),
        Person(login: "temp@contoso.example", addresses: ["temp@contoso.example"]),
        Person(
            login: "owner@contoso.example",
            addresses: ["owner@contoso.example", "sales@contoso.example"]
        ),
    ]

    static let orphan = "S-1-5-21-1004336348-1177238915-682003330-5120"

    static func read(
        _ sample: Sample,
        address: String = "sales@contoso.example"
    ) throws
        -> ImportedPermissions
    {
        var document = try PermissionsReader.read(
            sample.files.enumerated().map { ("file\($0.offset + 1)", Data($0.element.utf8)) }
        )
        document.recipients += sample.recipients
        document.hasWholeDirectory = document.hasWholeDirectory || !sample.recipients.isEmpty
        let mailbox = try document.mailbox(of: [address], identity: "sales")
        return Resolution.resolve(
            mailbox,
            in: document,
            people: self.people
        )
    }

    static func lines(_ imported: ImportedPermissions) -> [String] {
        imported.entries.map { entry in
            [
                entry.login ?? "anyone", entry.rights.isEmpty ? "-" : entry.rights, entry.send,
                entry.folder ?? "all", entry.via ?? "-",
            ].joined(separator: " ")
        }.sorted()
    }

    @Test(arguments: samples + online + csv + folders)
    func `a sample is read completely or refused completely`(_ sample: Sample) throws {
        guard let refusal = sample.refusal else {
            let imported = try Self.read(sample)
            #expect(Self.lines(imported) == sample.entries.sorted())
            let denials = imported.denials.map {
                "\($0.login)\($0.view ? " view" : "")\($0.send ? " send" : "")"
            }
            #expect(denials == sample.denials)
            #expect(imported.unresolved.map(\.principal).sorted() == sample.unresolved.sorted())
            return
        }
        let error = try #require(throws: ReadingError.self) { _ = try Self.read(sample) }
        #expect(error.description.contains(refusal), "\(error)")
    }

    static let samples = [
        Sample(
            name: "Get-EXOMailboxPermission as JSON",
            files: [
                #"""
                [
                 {"AccessRights":["FullAccess","ReadPermission"],"Deny":{"IsPresent":false},"Identity":"sales","InheritanceType":"All","IsInherited":false,"User":"NT AUTHORITY\\SELF"},
                 {"AccessRights":["FullAccess"],"Deny":{"IsPresent":false},"Identity":"sales","InheritanceType":"All","IsInherited":false,"User":"kim@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":{"IsPresent":false},"Identity":"sales","InheritanceType":"All","IsInherited":false,"User":"Sales Team"},
                 {"AccessRights":["FullAccess"],"Deny":{"IsPresent":true},"Identity":"sales","InheritanceType":"All","IsInherited":false,"User":"temp@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":{"IsPresent":false},"Identity":"sales","InheritanceType":"All","IsInherited":false,"User":"S-1-5-21-1004336348-1177238915-682003330-5120"}
                ]
                """#
            ],
            entries: ["kim@contoso.example lrswikxte none all -"],
            denials: ["temp@contoso.example view"],
            unresolved: [orphan, "Sales Team"]
        ),
        Sample(
            name: "a single result is an object, the enumeration a number",
            files: [
                #"{"AccessControlType":"Allow","AccessRights":[1],"Identity":"sales","InheritanceType":"None","IsInherited":false,"Trustee":"kim@contoso.example"}"#
            ],
            entries: ["kim@contoso.example - as all -"]
        ),
        Sample(
            name: "Send As denied",
            files: [
                #"{"AccessControlType":"Deny","AccessRights":["SendAs"],"Identity":"sales","Trustee":"kim@contoso.example"}"#
            ],
            denials: ["kim@contoso.example send"]
        ),
        Sample(
            name: "an inherited entry grants nothing, and denies only users without other grants",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"Identity":"sales","IsInherited":true,"User":"kim@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","IsInherited":false,"User":"kim@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":true,"Identity":"sales","IsInherited":true,"User":"temp@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":true,"Identity":"sales","IsInherited":true,"User":"CONTOSO\\Domain Admins"},
                 {"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","IsInherited":true,"User":"lee@contoso.example"}]
                """#
            ],
            entries: ["kim@contoso.example lrswikxte none all -"],
            denials: ["temp@contoso.example view"]
        ),
        Sample(
            name: "on premises: Send As is an extended right",
            files: [
                #"""
                [{"Identity":"sales","User":"kim@contoso.example","Deny":false,"ExtendedRights":["Send-As"],"IsInherited":false,"AccessRights":["ExtendedRight"]},
                 {"Identity":"sales","User":"lee@contoso.example","Deny":false,"ExtendedRights":["Receive-As"],"IsInherited":false,"AccessRights":["ExtendedRight"]},
                 {"Identity":"sales","User":"temp@contoso.example","Deny":true,"ExtendedRights":["Send-As"],"IsInherited":false,"AccessRights":["ExtendedRight"]}]
                """#
            ],
            entries: ["kim@contoso.example - as all -"],
            denials: ["temp@contoso.example send"]
        ),
        Sample(
            name: "on premises: a user as an object",
            files: [
                #"{"Identity":"sales","User":{"RawIdentity":"CONTOSO\\kim","SecurityIdentifier":{"Value":"S-1-5-21-1-2-3-5101"}},"AccessRights":"FullAccess, ReadPermission","Deny":"False","IsInherited":"False"}"#
            ],
            entries: ["kim@contoso.example lrswikxte none all -"],
            recipients: [
                .init(sids: ["S-1-5-21-1-2-3-5101"], addresses: ["SMTP:kim@contoso.example"])
            ]
        ),
        Sample(
            name: "the list of permissions of an older interface",
            files: [
                #"{"value":[{"Identity":"sales","User":"kim@contoso.example","PermissionList":[{"AccessRights":["FullAccess"],"Deny":"False","IsInherited":false,"InheritanceType":"All"}]}]}"#
            ],
            entries: ["kim@contoso.example lrswikxte none all -"]
        ),
        Sample(
            name: "other mailbox rights grant nothing",
            files: [
                #"[{"AccessRights":["ReadPermission","ChangeOwner","DeleteItem","ExternalAccount","ChangePermission","SendAs"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example"}]"#
            ]
        ),
        Sample(
            name: "a denial with an unknown principal removes all grants: it may be a group",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"Identity":"sales","IsInherited":false,"User":"S-1-5-21-9-9-9-1"},
                 {"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","IsInherited":false,"User":"Team"},
                 {"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","IsInherited":false,"User":"lee@contoso.example","UserSid":"S-1-5-21-9-9-9-2"}]
                """#
            ],
            unresolved: ["S-1-5-21-9-9-9-1"],
            recipients: [
                .init(names: ["Team"], type: "MailUniversalSecurityGroup", members: ["g1"]),
                .init(guids: ["g1"], addresses: ["kim@contoso.example"]),
            ]
        ),
        Sample(
            name: "rows of SELF and of Exchange's services are ignored",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"owner@contoso.example"},
                 {"AccessRights":["FullAccess, ExternalAccount, ReadPermission"],"Deny":false,"IsInherited":false,"UserSid":"S-1-5-10","User":"NT-AUTORITÄT\\SELBST","Identity":"sales"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"User":"Discovery Management","Identity":"sales"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"User":"CONTOSO\\Exchange Servers","Identity":"sales"}]
                """#
            ],
            denials: ["owner@contoso.example view"]
        ),
        Sample(
            name: "Everyone is unresolved",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"Everyone","UserSid":"S-1-1-0"},{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"NT AUTHORITY\\Authenticated Users"}]"#
            ],
            unresolved: ["Everyone", #"NT AUTHORITY\Authenticated Users"#]
        ),
        Sample(
            name: "a denial with only a SID may be for any user",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"S-1-5-21-9-9-9-1"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example","UserSid":"S-1-5-21-9-9-9-1"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"lee@contoso.example","UserSid":"S-1-5-21-9-9-9-2"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"temp@contoso.example"}]
                """#
            ],
            unresolved: ["S-1-5-21-9-9-9-1"]
        ),
        Sample(
            name: "a denial for Everyone or for administrators removes all grants",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"Everyone","UserSid":"S-1-1-0"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example","UserSid":"S-1-5-21-9-9-9-1"},
                 {"Identity":"sales","Trustee":"Organization Management","AccessRights":["SendAs"],"AccessControlType":"Deny"},
                 {"Identity":"sales","Trustee":"lee@contoso.example","AccessRights":["SendAs"],"AccessControlType":"Allow"}]
                """#
            ],
            unresolved: ["Everyone", "Organization Management"]
        ),
        Sample(
            name: "a denial for a disabled account counts, a grant does not",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"lee@contoso.example"}]
                """#
            ],
            denials: ["kim@contoso.example view"],
            recipients: [
                .init(addresses: ["kim@contoso.example"], isEnabled: false),
                .init(addresses: ["lee@contoso.example"], isEnabled: false),
            ]
        ),
        Sample(
            name: "without Deny",
            files: [
                #"[{"AccessRights":["FullAccess"],"Identity":"sales","User":"kim@contoso.example"}]"#
            ],
            refusal: "file1, row 1, column Deny: is missing"
        ),
        Sample(
            name: "without IsInherited",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","User":"kim@contoso.example"}]"#
            ],
            refusal: "file1, row 1, column IsInherited: is missing"
        ),
        Sample(
            name: "a denial with an unknown address may be for a group or another address",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"team@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example"}]
                """#
            ],
            unresolved: ["team@contoso.example"]
        ),
        Sample(
            name: "a SID of another domain may be of the same user",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":true,"IsInherited":false,"Identity":"sales","User":"S-1-5-21-1-1-1-7"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example","UserSid":"S-1-5-21-2-2-2-7"}]
                """#
            ],
            unresolved: ["S-1-5-21-1-1-1-7"]
        ),
        Sample(
            name: "without AccessControlType",
            files: ["Identity,Trustee,AccessRights\nsales,kim@contoso.example,SendAs\n"],
            refusal: "row 2, column AccessControlType: is missing"
        ),
        Sample(
            name: "truncated in the last cell",
            files: [
                "Identity,Trustee,AccessRights,AccessControlType\nsales,kim@contoso.example,SendAs,Allow"
            ],
            refusal: "the last row has no line end"
        ),
        Sample(
            name: "names with commas between them",
            files: [
                "Identity,PrimarySmtpAddress,GrantSendOnBehalfTo\nsales,sales@contoso.example,\"Akers, Kim\"\n"
            ],
            refusal: "column GrantSendOnBehalfTo: has names with commas"
        ),
        Sample(
            name: "on premises: a denial of everything denies Send As",
            files: [
                #"""
                [{"Identity":"sales","User":"kim@contoso.example","Deny":false,"ExtendedRights":["Send-As"],"IsInherited":false,"AccessRights":["ExtendedRight"]},
                 {"Identity":"sales","User":"kim@contoso.example","Deny":true,"ExtendedRights":[],"IsInherited":false,"AccessRights":["GenericAll"]}]
                """#
            ],
            denials: ["kim@contoso.example send"]
        ),
        Sample(
            name: "a name alone is unresolved without a complete directory",
            files: [
                #"[{"PrimarySmtpAddress":"lee@contoso.example","Identity":"lee","DisplayName":"Books","GrantSendOnBehalfTo":[]},{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"Books"}]"#
            ],
            unresolved: ["Books"]
        ),
        Sample(
            name: "a recipient with the same name and another SID is another one",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"Kim Akers","UserSid":"S-1-5-21-1-1-1-1"},{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"Lee Gu","UserSid":"S-1-5-21-1-1-1-2"}]"#
            ],
            entries: ["lee@contoso.example lrswikxte none all -"],
            unresolved: ["Kim Akers"],
            recipients: [
                .init(
                    sids: ["S-1-5-21-1-1-1-9"],
                    addresses: ["kim@contoso.example"],
                    names: ["Kim Akers"]
                ),
                .init(
                    sids: ["S-1-5-21-1-1-1-3", "S-1-5-21-1-1-1-2"],
                    addresses: ["lee@contoso.example"],
                    names: ["Lee Gu"]
                ),
            ]
        ),
        Sample(
            name: "a name that looks like an address, a SID or a GUID is not matched by name",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"ceo@contoso.example"},{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"S-1-5-21-7"}]"#
            ],
            unresolved: ["S-1-5-21-7", "ceo@contoso.example"],
            recipients: [
                .init(
                    addresses: ["kim@contoso.example"],
                    names: ["ceo@contoso.example", "S-1-5-21-7"]
                )
            ]
        ),
        Sample(
            name: "external and unknown users are not matched by name",
            files: [
                #"""
                [{"Identity":"sales:\\Inbox","FolderName":"Inbox","FolderPath":"Inbox","AccessRights":["Owner"],"User":{"DisplayName":"Kim Akers","UserType":"External","UserPrincipalName":"kim@fabrikam.example"}},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","FolderPath":"Inbox","AccessRights":["Owner"],"User":{"DisplayName":"Lee Gu","UserType":"Unknown"}}]
                """#
            ],
            unresolved: ["Lee Gu"],
            recipients: [
                .init(addresses: ["kim@contoso.example"], names: ["Kim Akers"]),
                .init(addresses: ["lee@contoso.example"], names: ["Lee Gu"]),
            ]
        ),
        Sample(
            name: "two folders whose names look alike",
            files: [
                #"""
                [{"Identity":"sales","FolderName":"B\u00FCro","FolderPath":"B\u00FCro","AccessRights":["Editor"],"User":"kim@contoso.example"},
                 {"Identity":"sales","FolderName":"Bu\u0308ro","FolderPath":"Bu\u0308ro","AccessRights":["None"],"User":"kim@contoso.example"}]
                """#
            ],
            entries: [
                "kim@contoso.example - none Bu\u{308}ro -",
                "kim@contoso.example lrswite none B\u{FC}ro -",
            ]
        ),
        Sample(
            name: "an element of a list is one name, including commas",
            files: [
                #"[{"PrimarySmtpAddress":"sales@contoso.example","Identity":"sales","GrantSendOnBehalfTo":["Akers, Kim","kim@contoso.example"]}]"#
            ],
            entries: ["kim@contoso.example - on-behalf all -"],
            unresolved: ["Akers, Kim"],
            recipients: [.init(addresses: ["lee@contoso.example"], names: ["Kim"])]
        ),
        Sample(
            name: "an unknown right",
            files: [
                #"[{"AccessRights":["FullAccess","Everything"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example"}]"#
            ],
            refusal: "column AccessRights: has Everything"
        ),
        Sample(
            name: "a number without a known meaning",
            files: [
                #"[{"AccessRights":[1],"Deny":false,"IsInherited":false,"Identity":"sales","User":"kim@contoso.example"}]"#
            ],
            refusal: "column AccessRights: is a number"
        ),
        Sample(
            name: "without Identity",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"User":"kim@contoso.example"}]"#
            ],
            refusal: "column Identity: is missing"
        ),
        Sample(
            name: "rows of another mailbox",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"board","User":"kim@contoso.example"}]"#
            ],
            refusal: "the rows are about board"
        ),
        Sample(
            name: "rows of all mailboxes: only its own count",
            files: [
                #"""
                [{"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"board","User":"kim@contoso.example"},
                 {"AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"Identity":"sales","User":"lee@contoso.example"}]
                """#
            ],
            entries: ["lee@contoso.example lrswikxte none all -"]
        ),
        Sample(
            name: "a nested object without its content",
            files: [
                #"[{"AccessRights":["FullAccess"],"Deny":false,"Identity":"sales","User":"@{RawIdentity=CONTOSO\\kim}"}]"#
            ],
            refusal: "which PowerShell lost"
        ),
        Sample(name: "cut off", files: [#"[{"AccessRights":["Full"#], refusal: "cut off"),
        Sample(
            name: "deep nesting is refused in little time",
            files: [
                String(repeating: "[", count: 450)
                    + String(repeating: "1,", count: 100_000) + "1"
                    + String(repeating: "]", count: 450)
            ],
            refusal: "nested too deeply"
        ),
        Sample(name: "empty", files: [" \r\n"], refusal: "file1 is empty"),
        Sample(name: "no rows", files: ["[]"], refusal: "no rows"),
        Sample(name: "text", files: ["Hello"], refusal: "neither JSON nor"),
        Sample(
            name: "rows of another cmdlet",
            files: [#"[{"Name":"x"}]"#],
            refusal: "row 1 is no row of"
        ),
    ]

    static let online = [
        Sample(
            name: "InvokeCommand: Get-MailboxPermission",
            files: [
                #"""
                {"@odata.context":"https://outlook.office365.com/adminapi/beta/x/$metadata#Collection(Exchange.GenericHashTable)",
                 "adminapi.warnings@odata.type":"#Collection(String)","@adminapi.warnings":[],
                 "value":[
                  {"Identity":"sales","User":"NT AUTHORITY\\SELF","AccessRights@odata.type":"#Collection(String)","AccessRights":["FullAccess, ReadPermission"],"Deny":false,"IsInherited":false,"UserSid":"S-1-5-10","PrimarySmtpAddress":""},
                  {"Identity":"sales","User":"kim@contoso.example","AccessRights@odata.type":"#Collection(String)","AccessRights":["FullAccess"],"Deny":false,"IsInherited":false,"UserSid":"S-1-5-21-1004336348-1177238915-682003330-5101","PrimarySmtpAddress":""}
                 ]}
                """#
            ],
            entries: ["kim@contoso.example lrswikxte none all -"]
        ),
        Sample(
            name: "InvokeCommand: a warning means that rows are missing",
            files: [
                #"{"value":[{"Identity":"sales","Trustee":"kim@contoso.example","AccessRights":["SendAs"],"AccessControlType":"Allow"}],"@adminapi.warnings":["There are more results available than are currently displayed."]}"#
            ],
            refusal: "may be incomplete: There are more results"
        ),
        Sample(
            name: "InvokeCommand: a page",
            files: [
                #"{"value":[{"Identity":"sales","Trustee":"kim@contoso.example","AccessRights":["SendAs"],"AccessControlType":"Allow"}],"@adminapi.warnings":[],"@odata.nextLink":"https://x"}"#
            ],
            refusal: "one page of several"
        ),
        Sample(
            name: "InvokeCommand: Get-Mailbox with delegates",
            files: [
                #"""
                {"value":[{"Identity":"sales","UserPrincipalName":"sales@contoso.example","DisplayName":"Sales","PrimarySmtpAddress":"sales@contoso.example",
                 "RecipientTypeDetails":"SharedMailbox","IsShared":true,"ExchangeGuid":"6f1c1d1e-0000-4000-8000-00000000a001",
                 "ExternalDirectoryObjectId":"0f0e0d0c-0000-4000-8000-00000000b001",
                 "EmailAddresses":["SMTP:sales@contoso.example","smtp:verkauf@contoso.example","SIP:sales@contoso.example"],
                 "GrantSendOnBehalfTo":["3a0c7c5e-0000-4000-8000-00000000b007","Lee Gu"],"AccountDisabled":true}],
                 "@adminapi.warnings":[]}
                """#
            ],
            entries: [
                "kim@contoso.example - on-behalf all -", "lee@contoso.example - on-behalf all -",
            ],
            recipients: [
                .init(
                    guids: ["{3A0C7C5E-0000-4000-8000-00000000B007}"],
                    addresses: ["kim@contoso.example"]
                ),
                .init(addresses: ["SMTP:lee@contoso.example"], names: ["Lee Gu"]),
            ]
        ),
    ]

    static let csv = [
        Sample(
            name: "Export-Csv, joined",
            files: [
                """
                #TYPE Selected.System.Management.Automation.PSCustomObject\r
                "Identity","User","AccessRights","IsInherited","Deny","InheritanceType"\r
                "sales","NT AUTHORITY\\SELF","FullAccess, ReadPermission","False","False","All"\r
                "sales","kim@contoso.example","FullAccess","False","False","All"\r
                "contoso.example/Users/Sales","CONTOSO\\Domain Admins","FullAccess","True","True","All"\r
                "sales","lee@contoso.example","{FullAccess}","False","False","All"\r

                """
            ],
            entries: [
                "kim@contoso.example lrswikxte none all -",
                "lee@contoso.example lrswikxte none all -",
            ]
        ),
        Sample(
            name: "Export-Csv of a collection",
            files: [
                """
                "Identity","User","AccessRights","IsInherited","Deny","InheritanceType"
                "sales","lee@contoso.example","FullAccess","False","False","All"
                "sales","kim@contoso.example","System.Collections.ArrayList","False","False","All"

                """
            ],
            refusal: "file1, row 3, column AccessRights: says System.Collections.ArrayList"
        ),
        Sample(
            name: "Export-Csv -UseCulture",
            files: [
                "Identity;Trustee;AccessRights;AccessControlType\nsales;kim@contoso.example;SendAs;Allow\n"
            ],
            entries: ["kim@contoso.example - as all -"]
        ),
        Sample(
            name: "letters lost in ASCII",
            files: [
                "\"Identity\",\"Trustee\",\"AccessRights\",\"AccessControlType\"\n\"sales\",\"J?rgen\",\"SendAs\",\"Allow\"\n"
            ],
            refusal: "row 2, column Trustee: has letters that were lost"
        ),
        Sample(
            name: "truncated in a quoted cell",
            files: ["\"Identity\",\"Trustee\",\"AccessRights\"\n\"sales\",\"kim@contoso.exam"],
            refusal: "row 2: a quotation does not end"
        ),
        Sample(
            name: "truncated in a row",
            files: ["Identity,Trustee,AccessRights\nsales,kim@contoso.example\n"],
            refusal: "row 2: 2 cells instead of 3"
        ),
    ]

    private static let folderRows = #"""
        {"value":[
         {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Default","AccessRights":["None"],"SharingPermissionFlags":null},
         {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Anonymous","AccessRights":["None"],"SharingPermissionFlags":null},
         {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Kim Akers","AccessRights":["Editor"],"SharingPermissionFlags":null},
         {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Projects","AccessRights":["ReadItems","FolderVisible","CreateItems"],"SharingPermissionFlags":null}
        ],"@adminapi.warnings":[]}
        """#

    private static let projects = [
        PermissionsDocument.Recipient(
            guids: ["g-projects"],
            names: ["Projects"],
            type: "MailUniversalSecurityGroup",
            members: ["g-lee", "g-inner"]
        ),
        .init(
            guids: ["g-inner"],
            names: ["Inner"],
            type: "MailUniversalSecurityGroup",
            members: ["g-temp", "g-projects", "g-elsewhere"]
        ),
        .init(guids: ["g-lee"], addresses: ["lee@contoso.example"], names: ["Lee Gu"]),
        .init(guids: ["g-temp"], addresses: ["temp@contoso.example"], names: ["Temp"]),
        .init(guids: ["g-elsewhere"], addresses: ["else@contoso.example"], names: ["Else"]),
    ]

    private static let kim = PermissionsDocument.Recipient(
        addresses: ["kim@contoso.example"],
        names: ["Kim Akers"]
    )

    static let folders = [
        Sample(
            name: "folder permissions with a nested group and a cycle",
            files: [folderRows],
            entries: [
                "kim@contoso.example lrswite none INBOX -",
                "lee@contoso.example lri none INBOX Projects",
                "temp@contoso.example lri none INBOX Projects",
            ],
            recipients: projects + [kim]
        ),
        Sample(
            name: "two users with one name, and with more rights than the group",
            files: [folderRows],
            entries: [
                "lee@contoso.example lri none INBOX Projects",
                "temp@contoso.example lri none INBOX Projects",
            ],
            unresolved: ["Kim Akers"],
            recipients: projects + [
                kim, .init(addresses: ["kim2@contoso.example"], names: ["Kim Akers"]),
            ]
        ),
        Sample(
            name: "an orphan with fewer rights removes the rights of groups",
            files: [
                #"""
                [{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"NT:S-1-5-21-1004336348-1177238915-682003330-5120","AccessRights":["None"]},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Default","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Projects","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\Projects\\Open","FolderName":"Open","User":"Default","AccessRights":["Reviewer"]}]
                """#
            ],
            entries: ["anyone lr none Projects/Open -"],
            unresolved: ["NT:" + orphan],
            recipients: projects
        ),
        Sample(
            name: "an entry without rights is kept, because it overrides others",
            files: [
                #"[{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"kim@contoso.example","AccessRights":"None"},{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Default","AccessRights":"Reviewer"}]"#
            ],
            entries: [
                "anyone lr none INBOX -", "kim@contoso.example - none INBOX -",
            ]
        ),
        Sample(
            name: "objects of a PowerShell session",
            files: [
                #"""
                [{"FolderName":"Posteingang","FolderType":"Inbox","User":{"UserType":{"value":"Internal"},"DisplayName":"Kim Akers",
                  "RecipientPrincipal":{"Guid":{"Guid":"3a0c7c5e-0000-4000-8000-00000000b007"},"PrimarySmtpAddress":"kim@contoso.example"}},
                  "AccessRights":["Editor"],"SharingPermissionFlags":null,"Identity":"sales:\\Posteingang"},
                 {"FolderName":"A","User":{"UserType":{"value":"Internal"},"DisplayName":"Default","ADRecipient":{"PrimarySmtpAddress":"lee@contoso.example"}},
                  "AccessRights":["Reviewer"],"Identity":"sales:\\Posteingang\\A"}]
                """#
            ],
            entries: [
                "kim@contoso.example lrswite none INBOX -",
                "lee@contoso.example lr none INBOX/A -",
            ]
        ),
        Sample(
            name: "a folder named inbox that is not the inbox is left out",
            files: [
                #"""
                [{"FolderName":"Posteingang","FolderType":"Inbox","User":"lee@contoso.example","AccessRights":["Reviewer"],"Identity":"sales:\\Posteingang"},
                 {"FolderName":"inbox","FolderType":"User Created","User":"kim@contoso.example","AccessRights":["Reviewer"],"Identity":"sales:\\inbox"},
                 {"FolderName":"A","FolderType":"User Created","User":"kim@contoso.example","AccessRights":["Reviewer"],"Identity":"sales:\\Inbox\\A"}]
                """#
            ],
            entries: ["lee@contoso.example lr none INBOX -"]
        ),
        Sample(
            name: "objects of a PowerShell session without the folder's path",
            files: [
                #"[{"FolderName":"Posteingang","User":{"UserType":{"value":"Internal"},"DisplayName":"Kim Akers"},"AccessRights":["Editor"],"Identity":"Kim Akers"}]"#
            ],
            refusal: "does not say which folder"
        ),
        Sample(
            name: "objects of a PowerShell session with too little depth",
            files: [
                #"[{"FolderName":"Inbox","User":"Microsoft.Exchange.Management.StoreTasks.MailboxFolderUserId","AccessRights":["Editor"],"Identity":"sales:\\Inbox"}]"#
            ],
            refusal: "column User: says Microsoft.Exchange"
        ),
        Sample(
            name: "calendars, external users, group mailboxes, and names that IMAP cannot have",
            files: [
                #"""
                [{"Identity":"sales:\\Kalender","FolderName":"Kalender","FolderType":"Calendar","User":"kim@contoso.example","AccessRights":["Editor"],"SharingPermissionFlags":"Delegate, CanViewPrivateItems"},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"ExchangePublishedUser.kim@contoso.example","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"kim_fabrikam.example#EXT#@contoso.example","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"Member@local","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\A\uF8FFB","FolderName":"A/B","User":"kim@contoso.example","AccessRights":["Reviewer"]},
                 {"Identity":"sales:\\","FolderName":"Top of Information Store","User":"kim@contoso.example","AccessRights":["Reviewer"]}]
                """#
            ]
        ),
        Sample(
            name: "an unknown role",
            files: [
                #"[{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"kim@contoso.example","AccessRights":["Admin"]}]"#
            ],
            refusal: "no role or right of a folder"
        ),
        Sample(
            name: "a distribution group is ignored in a folder and counts as delegate",
            files: [
                #"[{"Identity":"sales:\\Inbox","FolderName":"Inbox","User":"List","AccessRights":["Reviewer"]}]"#,
                #"{"Identity":"sales","PrimarySmtpAddress":"sales@contoso.example","GrantSendOnBehalfTo":["List"]}"#,
            ],
            entries: ["lee@contoso.example - on-behalf all List"],
            recipients: [
                .init(names: ["List"], type: "MailUniversalDistributionGroup", members: ["g-lee"]),
                .init(guids: ["g-lee"], addresses: ["lee@contoso.example"]),
            ]
        ),
    ]

    @Test(arguments: [
        ("None", ""), ("Contributor", "li"), ("Reviewer", "lr"), ("NonEditingAuthor", "lri"),
        ("NoneditingAuthor", "lri"), ("Author", "lri"), ("PublishingAuthor", "lrik"),
        ("Editor", "lrswite"), ("PublishingEditor", "lrswikte"), ("Owner", "lrswikxte"),
        ("AvailabilityOnly", ""), ("LimitedDetails", ""), ("FolderVisible", "l"),
        ("ReadItems", "r"), ("CreateItems", "i"), ("CreateSubfolders", "k"),
        ("EditAllItems", "sw"), ("DeleteAllItems", "te"), ("FolderOwner", "lx"),
        ("FolderContact", ""), ("EditOwnedItems", ""), ("DeleteOwnedItems", ""),
    ])
    func `a folder role or right has these RFC 4314 rights`(
        _ role: String,
        _ letters: String
    ) throws {
        #expect(try #require(FolderRights.rights(named: [role])).letters == letters)
        #expect(FolderRights.rights(named: [role, "Everything"]) == nil)
    }

    @Test func `UTF-16 text is read`() throws {
        let text =
            #"[{"Identity":"sales","Trustee":"kim@contoso.example","AccessRights":"SendAs","AccessControlType":"Allow"}]"#
        for (mark, isBig) in [([UInt8](arrayLiteral: 0xFF, 0xFE), false), ([0xFE, 0xFF], true)] {
            var octets = mark
            for unit in text.utf16 {
                let pair = [UInt8(unit & 0xFF), UInt8(unit >> 8)]
                octets += isBig ? pair.reversed() : pair
            }
            let document = try PermissionsReader.read([("file", Data(octets))])
            #expect(document.mailboxes.first?.sendAs.count == 1)
        }
        #expect(throws: ReadingError.self) {
            _ = try PermissionsReader.read([("file", Data([0x5B, 0xC3, 0x28, 0x5D]))])
        }
    }

    @Test func `the script's document is read only if it is complete`() throws {
        func text(_ end: String) -> String {
            #"{"format":"gatepost-exchange-permissions","version":1,"recipients":[],"mailboxes":[{"address":"sales@contoso.example","identities":[],"fullAccess":[{"principal":{"name":"kim@contoso.example"},"isDenied":false,"isInherited":false}],"sendAs":[],"sendOnBehalf":[],"folders":[{"path":["Eingang","A"],"type":null,"entries":[{"principal":{"name":"Default","kind":"Default"},"rights":["Reviewer"]}]},{"path":["Eingang"],"type":"Inbox","entries":[]}]}]"#
                + end
        }
        let whole = try Self.read(Sample(name: "", files: [text(#","complete":true}"#)]))
        #expect(
            Self.lines(whole) == [
                "anyone lr none INBOX/A -", "kim@contoso.example lrswikxte none all -",
            ]
        )
        for end in ["", "}", #","complete":false}"#, #","complete":true"#] {
            #expect(throws: ReadingError.self) {
                _ = try PermissionsReader.read([("file", Data(text(end).utf8))])
            }
        }
    }
}
