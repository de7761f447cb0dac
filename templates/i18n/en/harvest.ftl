# Names of the sets that other catalogues harvest by OAI-PMH.
oai-set-latest = Newest versions
oai-set-openaire-data = OpenAIRE: research data
oai-set-type = Type: { $name }
oai-set-community = Community: { $name }
