package admission

// Updates are changes of existing objects. Whether they are allowed depends on what was there before, so only a server
// can say.
func Updates() []Update {
	const (
		raise    = "change only with a higher revision, which starts a new series: raise revision"
		question = "spec.survey.questions"
	)
	return append(accountabilityUpdates(), []Update{
		{"another store", SurveyProgram, "storeRef: {name: responses}", "storeRef: {name: other}",
			[]string{"spec.storeRef", "storeRef cannot be changed: the answers would be left behind"}},
		{"another privacy floor", SurveyProgram, "minimumCell: 10", "minimumCell: 5",
			[]string{"spec.privacy.minimumCell", "minimumCell cannot be changed"}},
		{"the default privacy floor instead", SurveyProgram, "  privacy:\n    minimumCell: 10\n", "",
			[]string{"spec.privacy.minimumCell", "minimumCell cannot be changed"}},
		{"another engine", ResponseStore, "sqlite: {}", "postgres: {connectionSecretRef: {name: db, key: uri}}",
			[]string{"spec", "a store's engine cannot be changed"}},
		{"another storage class", Volume, "storageClassName: fast", "storageClassName: slow",
			[]string{"spec.sqlite.storageClassName", "storageClassName cannot be changed: the answers would stay on the old volume"}},
		{"a larger volume", Volume, "size: 10Gi", "size: 20Gi", nil},
		{"answers that stay", Volume, "deletionPolicy: Delete", "deletionPolicy: Retain", nil},
		{"a volume for what was in a file", ResponseStore, "sqlite: {}", "sqlite: {size: 20Gi, storageClassName: fast}", nil},
		{"pods of its own", SurveyProgram, "  survey:\n", "  endpoint: {mode: Dedicated, replicas: 2}\n  survey:\n", nil},
		{"no replica: stopped", Routed, "replicas: 3", "replicas: 0", nil},
		{"a number instead of an autoscaler", Dedicated, "autoscaling: {minReplicas: 2, maxReplicas: 10, targetCPUPercent: 60}", "replicas: 4", nil},
		{"another address", Routed, "hostname: survey.example.org", "hostname: answers.example.org", nil},
		{"another program", Touchpoint, "programRef: {name: passenger-experience}", "programRef: {name: other}",
			[]string{"spec.programRef", "programRef cannot be changed"}},

		{"a lower revision", SurveyProgram, "revision: 2", "revision: 1", []string{question + "[1].revision", "revision must not go down"}},
		{"another type", SurveyProgram, "- name: effort\n      type: CES", "- name: effort\n      type: Rating\n      maximum: 7",
			[]string{question + "[2].revision", raise}},
		{"another maximum", SurveyProgram, "maximum: 10", "maximum: 9", []string{question + "[3].revision", raise}},
		{"a choice more", SurveyProgram, "      - {name: leisure, label: {en: Leisure}}\n",
			"      - {name: leisure, label: {en: Leisure}}\n      - {name: study, label: {en: Study}}\n",
			[]string{question + "[4].revision", raise}},
		{"a choice renamed", SurveyProgram, "{name: leisure,", "{name: holidays,", []string{question + "[4].revision", raise}},
		{"another text in the default language", SurveyProgram, "text: {en: How many stars}", "text: {en: How many stars do you give}",
			[]string{question, "a question's text in the default language changes only with a higher revision"}},
		{"another default language", SurveyProgram, "defaultLanguage: en", "defaultLanguage: es",
			[]string{question, "every question must have a text in defaultLanguage"}},

		{"a choice more with a higher revision", SurveyProgram, "- name: reason\n      type: SingleChoice\n      choices:\n",
			"- name: reason\n      type: SingleChoice\n      revision: 2\n      choices:\n      - {name: study, label: {en: Study}}\n", nil},
		{"another text with a higher revision", SurveyProgram, "revision: 2\n      text: {en: Restaurants,",
			"revision: 3\n      text: {en: Food and drink,", nil},
		{"a translation", SurveyProgram, "es: Restaurantes}", "es: Comedores, de: Gastronomie}", nil},
		{"a choice's label", SurveyProgram, "label: {en: Leisure}", "label: {en: Holidays}", nil},
		{"choices in another order", SurveyProgram,
			"      - {name: business, label: {en: Business}}\n      - {name: leisure, label: {en: Leisure}}\n",
			"      - {name: leisure, label: {en: Leisure}}\n      - {name: business, label: {en: Business}}\n", nil},
		{"a question more", SurveyProgram, "    - name: comment\n", "    - {name: shops, type: CSAT, text: {en: Shops}}\n    - name: comment\n", nil},
		{"a question less", SurveyProgram, "    - name: comment\n      type: Text\n      maxLength: 500\n      text: {en: What should we know}\n", "", nil},
		{"signed links from now on", SurveyProgram, "  survey:\n", "  access: {mode: Signed, robots: {proofOfWorkBits: 18}}\n  survey:\n", nil},
		{"another target", Touchpoint, "target: 65", "target: 70", nil},
		{"another program's plan", ActionPlan, "touchpointRef: {name: food}", "programRef: {name: passenger-experience}", nil},
		{"another parent", Team, "parentRef: {name: airport}", "parentRef: {name: city}", nil},
	}...)
}
